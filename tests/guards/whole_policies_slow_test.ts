import { chooseGuards, runGuards } from "../../src/commands/guard.ts";
import { resolveRoot } from "../../src/io/paths.ts";
import { requirePolicy } from "../../src/io/policy_file.ts";
import { assert, assertEquals } from "../assert.ts";
import { parseGuide } from "../guide.ts";
import { fromFileUrl } from "../paths.ts";
import { succeeds } from "../python_tools.ts";
import { runKprov, WIDE } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const PAGE = Deno.readTextFileSync(
  fromFileUrl(new URL("../../docs/governance.md", import.meta.url)),
);
const SHOWN = parseGuide(PAGE).files;

type Files = Readonly<Record<string, string>>;
/** What a change leaves of a project. */
type Change = (files: Files) => Files;

const CI = ".github/workflows/ci.yml";

/** A project whose policy and workflow the page shows. */
interface Project {
  /** The heading of its section. */
  readonly heading: string;
  readonly directory: string;
  /** What the page does not show of it. */
  readonly files: Files;
  /** By the words of the page's table. */
  readonly changes: Readonly<Record<string, Change>>;
}

function add(path: string, text: string): Change {
  return (files) => ({ ...files, [path]: text });
}

function edit(path: string, from: string, to: string): Change {
  return (files) => {
    const text = files[path] ?? "";
    assertEquals(text.split(from).length, 2, `${path} does not hold ${from} once`);
    return { ...files, [path]: text.replace(from, to) };
  };
}

function step(run: string): Change {
  return (files) => ({ ...files, [CI]: `${files[CI]}      - run: ${run}\n` });
}

const PROJECTS: readonly Project[] = [
  {
    heading: "A Python project",
    directory: "python",
    files: {
      "pyproject.toml": '[project]\nname = "acme-etl"\nversion = "1.4.0"\n' +
        'requires-python = ">=3.11,<3.13"\n\n' +
        '[project.urls]\nRepository = "https://github.com/acme/etl"\n',
      "README.md": "# Acme ETL\n\nSee https://github.com/acme/etl.\n",
      "Makefile": "check:\n\tmake lint\n\tmake test\n",
      "Dockerfile": "FROM python:3.12\n",
      "tests/fixtures/old/.python-version": "3.8\n",
      "src/etl.py": "print('acme-etl')\n",
    },
    changes: {
      '`name = "acme_etl"` in pyproject.toml': edit("pyproject.toml", "acme-etl", "acme_etl"),
      "`see acme/etl-old` in a file": add("src/a.py", "# see acme/etl-old\n"),
      "`аcme-etl`, with a Cyrillic `а`, in a file": add("src/a.py", "# \u0430cme-etl\n"),
      "a file `.env`": add(".env", "TOKEN=x\n"),
      "`FROM python:3.10` in a Dockerfile": edit("Dockerfile", "3.12", "3.10"),
      "no `python-version` in the workflow": edit(
        CI,
        "        with:\n          python-version: ${{ matrix.python }}\n",
        "",
      ),
      '`"3.11"` gone from the matrix': edit(CI, '"3.11", ', ""),
      "`make check || true` in the workflow": edit(
        CI,
        "run: make check",
        "run: make check || true",
      ),
      "`- run: mypy .` as another step": step("mypy ."),
      "`make lint` no longer in the Makefile": edit("Makefile", "\tmake lint\n", ""),
      "`tests/fixtures/` gone": ({ "tests/fixtures/old/.python-version": _, ...files }) => files,
    },
  },
  {
    heading: "A Node project",
    directory: "node",
    files: {
      "package.json": JSON.stringify(
        {
          name: "@acme/charts",
          version: "2.0.1",
          repository: { type: "git", url: "git+https://github.com/acme/charts.git" },
          engines: { node: "^22.12 || ^24.0" },
          scripts: { test: "node --test" },
        },
        null,
        2,
      ),
      ".nvmrc": "24.1.0\n",
      "Dockerfile": "FROM node:24.1.0\n" +
        'LABEL org.opencontainers.image.source="https://github.com/acme/charts"\n',
      "index.js": "export const charts = 1;\n",
    },
    changes: {
      "another `repository.url` in package.json": edit(
        "package.json",
        "acme/charts.git",
        "me/charts.git",
      ),
      "a Dockerfile without the label": add("docker/Dockerfile", "FROM node:24.1.0\n"),
      "`node_modules/` committed": add("node_modules/x/index.js", "x\n"),
      "`20.11.0` in .nvmrc": add(".nvmrc", "20.11.0\n"),
      '`"engines": { "node": ">=20" }` in package.json': edit(
        "package.json",
        "^22.12 || ^24.0",
        ">=20",
      ),
      "`lts/*` in the matrix": edit(CI, '"^24.0"', '"^24.0", lts/*'),
      "`22.12.0` gone from the matrix": edit(CI, '"22.12.0", ', ""),
      "no `pull_request:` in the workflow": edit(CI, "  pull_request:\n", ""),
      "`continue-on-error: true` at the step": (files) => ({
        ...files,
        [CI]: `${files[CI]}        continue-on-error: true\n`,
      }),
      "`- run: npx eslint .` as another step": step("npx eslint ."),
    },
  },
  {
    heading: "A Deno project",
    directory: "deno",
    files: {
      "deno.json": '{\n  "name": "@acme/parse",\n  "version": "1.0.0",\n' +
        '  "tasks": { "ok": "deno lint && deno test" }\n}\n',
      "testdata/.env": "A=1\n",
      "mod.ts": "export {};\n",
    },
    changes: {
      "no `name` in deno.json": edit("deno.json", '  "name": "@acme/parse",\n', ""),
      "`npm/package.json` committed": add("npm/package.json", "{}\n"),
      "`2.7.1` in .dvmrc": add(".dvmrc", "2.7.1\n"),
      "no `deno-version` in the workflow": edit(
        CI,
        "        with:\n          deno-version: ${{ matrix.deno }}\n",
        "",
      ),
      "`v2.8.3` gone from the matrix": edit(CI, "v2.8.3, ", ""),
      "`if: github.actor != 'me'` at the job": edit(
        CI,
        "    runs-on:",
        "    if: github.actor != 'me'\n    runs-on:",
      ),
      "`deno lint` as another step": step("deno lint"),
      "any change of the workflow": edit(CI, "name: ci", "name: checks"),
    },
  },
];

/** The rows of the table in a section: what changes, and the code of the finding. */
function listRows(heading: string): Map<string, string> {
  const [, section = ""] = PAGE.split(`### ${heading}\n`);
  const [own = ""] = section.split(/^##/m);
  const cell = String.raw`((?:\\\||[^|])*?)`;
  const rows = own.matchAll(
    new RegExp(String.raw`^\| ${cell} *\| ${"`"}(\w+\.\w+)${"`"} *\|$`, "gm"),
  );
  return new Map(
    [...rows].map(([, change = "", code = ""]) => [change.replaceAll("\\|", "|"), code]),
  );
}

async function makeRepository(files: Files): Promise<TemporaryTree> {
  const tree = makeTree(files);
  for (const args of [["init", "--quiet", "--initial-branch=main"], ["add", "--all", "--force"]]) {
    assert(await succeeds("git", ["-C", tree.path, ...args]));
  }
  return tree;
}

/** The codes of what fails. */
async function guard(files: Files): Promise<string[]> {
  using tree = await makeRepository(files);
  const root = resolveRoot(tree.path);
  const { policy, path } = await requirePolicy(root);
  const guards = await chooseGuards([], policy);
  const request = { root, policy, guards, tracked: null, baseLock: null };
  const { results } = await runGuards(request, path, { now: () => new Date() });
  return results.flatMap(({ findings }) => findings)
    .filter(({ level }) => level === "error").map(({ code }) => code);
}

/** The project as the page shows it, with its lock. */
async function makeProject({ directory, files }: Project): Promise<Files> {
  const shown = Object.entries(SHOWN).filter(([path]) => path.startsWith(`${directory}/`))
    .map(([path, text]) => [path.slice(directory.length + 1), text]);
  assertEquals(shown.length, 2);
  const all: Files = { ...files, ...Object.fromEntries(shown) };
  using tree = await makeRepository(all);
  const { code, stderr } = await runKprov(["init", "--renew-lock"], {
    cwd: tree.path,
    permissions: WIDE,
  });
  assertEquals([code, stderr], [0, ""]);
  const lock = "docs/governance/governance.lock.json";
  return { ...all, [lock]: Deno.readTextFileSync(tree.at(lock)) };
}

for (const project of PROJECTS) {
  Deno.test(`docs/governance.md: ${project.heading} passes, and fails with each change`, async () => {
    const files = await makeProject(project);
    assertEquals(await guard(files), []);
    const rows = listRows(project.heading);
    assertEquals([...rows.keys()].sort(), Object.keys(project.changes).sort());
    for (const [change, expected] of rows) {
      const found = await guard(project.changes[change]!(files));
      assert(found.includes(expected), `${change}: ${found.join(" ")}`);
    }
  });
}
