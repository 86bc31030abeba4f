import { POLICY_NAME } from "../../src/io/policy_file.ts";
import { assert, assertEquals } from "../assert.ts";
import { parseGuide } from "../guide.ts";
import { fromFileUrl } from "../paths.ts";
import { installPythonTools, succeeds } from "../python_tools.ts";
import { decode, runKprov, WIDE } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";
import { DENO_CALL_STYLES } from "./parity/deno_call_styles.ts";
import { DENO_STYLES } from "./parity/deno_styles.ts";
import { OTHER_STYLES } from "./parity/other_styles.ts";
import type { Style } from "./parity/workflow_style.ts";

/** Packages that ship the workflows of their repositories. */
const NPM = ["avvio@9.3.1", "fast-uri@4.2.4", "find-my-way@9.10.2", "json-schema-traverse@1.0.0"]
  .concat("light-my-request@6.8.1", "rfdc@1.4.1", "secure-json-parse@4.1.1", "simple-get@4.0.1")
  .concat("thread-stream@4.2.1", "mercurius@16.10.1", "reusify@1.1.0", "@fastify/cors@11.4.3");
const DEBIAN = ["librust-cfg-if-dev", "librust-bitflags-dev", "librust-log-dev"]
  .concat("librust-semver-dev", "librust-itoa-dev", "librust-quote-dev", "librust-smallvec-dev");

const shipped = makeTree();
const zizmor = await installPythonTools("zizmor==1.32.0");
globalThis.addEventListener("unload", () => {
  shipped[Symbol.dispose]();
  zizmor?.[Symbol.dispose]();
});

/** Unpacks what a registry serves of a package; false where it cannot be had. */
async function unpack(name: string, place: string, steps: readonly string[]): Promise<boolean> {
  Deno.mkdirSync(place, { recursive: true });
  const script = `set -e; cd "$1"; ${steps.join("; ")}`;
  return await succeeds("sh", ["-c", script, "sh", place, name]);
}

/** The workflows of a package, by their paths in its repository. */
type Workflows = Readonly<Record<string, string>>;

function readWorkflows(place: string): Workflows {
  const found: Record<string, string> = {};
  const visit = (path: string): void => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(path)) {
      const below = `${path}/${name}`;
      if (isDirectory) visit(below);
      const [, inside] = /\/(\.github\/workflows\/[^/]+\.ya?ml)$/.exec(below) ?? [];
      if (isFile && inside !== undefined) found[inside] = Deno.readTextFileSync(below);
    }
  };
  visit(place);
  return found;
}

const PACKAGES = new Map<string, Workflows>();
for (
  const [names, steps] of [
    [NPM, ['npm pack --silent "$2" > name', 'tar -xzf "$(cat name)"']],
    [DEBIAN, ['apt-get download -qq "$2"', "dpkg-deb -x *.deb x"]],
  ] as const
) {
  for (const name of names) {
    const place = shipped.at(name.replaceAll("/", "_"));
    if (await unpack(name, place, steps)) PACKAGES.set(name, readWorkflows(place));
  }
}

const nothing = [...NPM, ...DEBIAN].every((name) => !PACKAGES.has(name))
  ? "no registry serves the packages here"
  : null;
const noActionlint = await succeeds("actionlint", ["-version"])
  ? null
  : "actionlint is missing here";
const noZizmor = zizmor === null ? "zizmor is missing here" : null;

interface Found {
  readonly code: string;
  readonly path: string | null;
  readonly line: number | null;
  readonly message: string;
}

async function makeRepository(files: Workflows, policy: unknown): Promise<TemporaryTree> {
  const tree = makeTree({ ...files, [POLICY_NAME]: JSON.stringify(policy) });
  for (const args of [["init", "--quiet"], ["add", "--all", "--force"]]) {
    assert(await succeeds("git", ["-C", tree.path, ...args]));
  }
  return tree;
}

/** What the guards find; they may find anything, but must not fail themselves. */
async function guard(
  files: Workflows,
  policy: Readonly<Record<string, unknown>>,
): Promise<Found[]> {
  using tree = await makeRepository(files, { schema: "kprovengine.policy.v1", ...policy });
  const { code, stdout, stderr } = await runKprov(["guard", "--format", "json"], {
    cwd: tree.path,
    permissions: WIDE,
  });
  assert(code <= 1, stderr);
  return JSON.parse(stdout).guards.flatMap(({ findings }: { findings: Found[] }) => findings);
}

/** The lines that a pattern matches: what a reader sees without knowing anything of workflows. */
function listLines(files: Workflows, pattern: RegExp): string[] {
  return Object.entries(files).flatMap(([path, text]) =>
    text.split("\n").flatMap((line, i) => pattern.test(line) ? [`${path}:${i + 1}`] : [])
  );
}

function placesOf(found: readonly Found[], code: string): Set<string> {
  return new Set(
    found.filter((it) => it.code === code).map(({ path, line }) => `${path}:${line}`),
  );
}

const VERSION = /^\s*(?:- )?(?:node|python)(?:-version)?: *\[? *['"]?v?\d/;
const GATE =
  /^\s*(?:- )?run: *(?:npm (?:test|t|run (?:test|lint)\S*)|pnpm test|cargo (?:\+\S+ )?(?:test|clippy)\b.*)$/;
const ALL_OUTSIDE = { runtime: { node: ">=900 <901", python: ">=9.0,<9.1" } };
const ALL_INSIDE = { runtime: { node: ">=0.1", python: ">=2" } };

for (const name of [...NPM, ...DEBIAN]) {
  const files = PACKAGES.get(name) ?? {};
  const missing = PACKAGES.has(name) ? null : "no registry serves it here";

  Deno.test(
    ...unless(missing, `the runtime guard judges every version in the workflows of ${name}`),
    async () => {
      assert(Object.keys(files).length > 0, "it ships none any more");
      const expected = listLines(files, VERSION);
      const outside = placesOf(await guard(files, ALL_OUTSIDE), "runtime.out_of_range");
      assertEquals(expected.filter((place) => !outside.has(place)), []);
      assertEquals([...placesOf(await guard(files, ALL_INSIDE), "runtime.out_of_range")], []);
    },
  );

  Deno.test(
    ...unless(missing, `the parity guard finds every gate in the workflows of ${name}`),
    async () => {
      for (const [workflow, text] of Object.entries(files)) {
        // A job with a condition, or a matrix that only the run knows, may not run.
        if (!/^on:/m.test(text) || /^\s+if:/m.test(text) || text.includes("fromJ")) continue;
        const found = await guard(files, { parity: { workflow, command: "no-such command" } });
        const extra = placesOf(found, "parity.extra_gate");
        const expected = listLines({ [workflow]: text }, GATE);
        assertEquals(expected.filter((place) => !extra.has(place)), []);
        assert(found.some(({ code }) => code === "parity.missing"));
      }
    },
  );
}

Deno.test(
  ...unless(
    nothing,
    "the shipped workflows have versions and gates enough for that to mean something",
  ),
  () => {
    const all = Object.fromEntries(
      [...PACKAGES].flatMap(([name, files]) =>
        Object.entries(files).map(([path, text]) => [`${name}/${path}`, text])
      ),
    );
    assert(listLines(all, VERSION).length >= 5);
    assert(listLines(all, GATE).length >= 20);
  },
);

/** Whether a tool says of a workflow that it is none. */
async function isRefusedByActionlint(text: string): Promise<boolean> {
  using tree = makeTree({ "a.yml": text });
  const { stdout } = await new Deno.Command("actionlint", {
    args: ["-shellcheck=", "-pyflakes=", "-format", "{{json .}}", "a.yml"],
    cwd: tree.path,
  }).output();
  const found: { kind: string }[] = JSON.parse(decode(stdout));
  return found.some(({ kind }) => kind === "syntax-check");
}

async function isRefusedByZizmor(text: string): Promise<boolean> {
  using tree = makeTree({ "a.yml": text });
  const { stderr } = await new Deno.Command(`${zizmor?.bin}/zizmor`, {
    args: ["--offline", "--no-progress", "--color=never", tree.at("a.yml")],
  }).output();
  return decode(stderr).includes("failed to parse input");
}

async function isRefusedByKprov(text: string): Promise<boolean> {
  const found = await guard({ ".github/workflows/a.yml": text }, ALL_INSIDE);
  return found.some(({ message }) => message.includes("cannot be read"));
}

/** Ways to break any workflow. */
const BREAKS: readonly ((text: string) => string)[] = [
  (text) => `${text}\nx: [\n`,
  (text) => `${text}\n\tx: y\n`,
  (text) => `"${text}`,
];

const styles: readonly Style[] = [...DENO_STYLES, ...DENO_CALL_STYLES, ...OTHER_STYLES];
const written = styles.flatMap(({ files }) =>
  Object.entries(files).filter(([path]) => path.startsWith(".github/workflows/"))
).map(([, text]) => text);
const page = Deno.readTextFileSync(
  fromFileUrl(new URL("../../docs/governance.md", import.meta.url)),
);
const shown = Object.entries(parseGuide(page).files).filter(([path]) => path.endsWith(".yml"));
written.push(...shown.map(([, text]) => text));

for (
  const [tool, reason, isRefused] of [
    ["actionlint", noActionlint, isRefusedByActionlint],
    ["zizmor", noZizmor, isRefusedByZizmor],
  ] as const
) {
  Deno.test(
    ...unless(nothing ?? reason, `the guards read the shipped workflows that ${tool} reads`),
    async () => {
      const texts = new Set([...PACKAGES.values()].flatMap((files) => Object.values(files)));
      for (const text of texts) {
        assertEquals(await isRefusedByKprov(text), await isRefused(text), text);
      }
      const [first = ""] = texts;
      for (const breakIt of BREAKS) {
        const text = breakIt(first);
        assertEquals([await isRefusedByKprov(text), await isRefused(text)], [true, true], text);
      }
    },
  );

  Deno.test(
    ...unless(
      reason,
      `${tool} takes the workflows for such that the tests and docs/governance.md write after real ones`,
    ),
    async () => {
      assert(shown.length === 3 && written.length > 13);
      for (const text of written) assertEquals(await isRefused(text), false, text);
    },
  );
}
