import { KprovError, sha256Hex } from "../../../mod.ts";
import { buildToolchain } from "../../../src/evidence/toolchain.ts";
import { gatherProgram, locateExecutable } from "../../../src/io/tools.ts";
import {
  askVersions,
  type FoundRuntime,
  gatherRuntimes,
} from "../../../src/io/runtimes/runtimes.ts";
import { assert, assertEquals, assertRejects } from "../../assert.ts";
import { SAMPLE_FACTS } from "../../sample_facts.ts";
import { makeTree, type TemporaryTree } from "../../temporary_tree.ts";
import { unless } from "../../unless.ts";
import { install, makeEnvironment, run, whyNoPython } from "./python_environment.ts";

const noPython = whyNoPython();
const noShell = Deno.build.os === "windows" ? "there are no shims like these on Windows" : null;

async function gather(
  argv: readonly [string, ...string[]],
  cwd: string,
  wantsPackages = true,
): Promise<FoundRuntime[]> {
  const root = { given: ".", path: cwd };
  return await gatherRuntimes({ tools: gatherProgram(argv, root), root, wantsPackages });
}

async function gatherOnly(
  argv: readonly [string, ...string[]],
  cwd: string,
): Promise<FoundRuntime> {
  const [runtime] = await gather(argv, cwd);
  assert(runtime !== undefined, argv.join(" "));
  return runtime;
}

function listNames({ recorded }: FoundRuntime): readonly string[] {
  return (recorded.packages ?? []).map(({ name, version }) => `${name} ${version}`);
}

/** What a runtime prints when a person asks it for its version. */
const RUNTIMES: readonly (readonly [
  name: string,
  program: string,
  args: readonly string[],
  pattern: RegExp,
])[] = [
  ["python", "python3", ["-V"], /^Python (\S+)/],
  ["python", "pypy3", ["-c", "import platform; print(platform.python_version())"], /^(\S+)/],
  ["node", "node", ["--version"], /^v(\S+)/],
  ["deno", "deno", ["--version"], /^deno (\S+)/],
  ["r", "R", ["--version"], /^R version (\S+)/],
  ["r", "Rscript", ["-e", "cat(R.version$major, R.version$minor, sep = '.')"], /^(\S+)/],
  ["java", "java", ["--version"], /^\S+ (\S+)/],
  ["ruby", "ruby", ["--version"], /^ruby ([0-9.]+)/],
  ["perl", "perl", ["--version"], /\(v([0-9.]+)\)/],
  ["julia", "julia", ["--version"], /^julia version (\S+)/],
  ["go", "go", ["version"], /go([0-9]\S*)/],
  ["bash", "bash", ["--version"], /version ([0-9]+\.[0-9]+\.[0-9]+)/],
];

for (const [name, program, args, pattern] of RUNTIMES) {
  const isHere = locateExecutable(program, "/").state === "found";
  Deno.test(
    ...unless(isHere ? null : `${program} is not installed`, `${program} tells its version`),
    async () => {
      using tree = makeTree();
      const { recorded, fault, executable } = await gatherOnly([program], tree.path);
      assertEquals(fault, null);
      assertEquals([recorded.name, recorded.version], [
        name,
        pattern.exec(await run(program, args, tree.path))?.[1] ?? null,
      ]);
      assertEquals(recorded.sha256, sha256Hex(Deno.readFileSync(executable.path)));
      assertEquals(executable.real, Deno.realPathSync(executable.path));
      // What is asked leaves nothing behind.
      assertEquals([...Deno.readDirSync(tree.path)], []);
    },
  );
}

Deno.test(
  ...unless(
    noPython,
    "a virtual environment gives its own packages and the Python behind its link",
  ),
  async () => {
    using tree = makeTree({ "main.py": "" });
    install(await makeEnvironment(tree.at(".venv")), [
      { name: "Some_Thing", version: "1.0" },
      {
        name: "edited",
        version: "2.0",
        directUrl: { url: "file:///a", dir_info: { editable: true } },
      },
    ]);
    const found = await gatherOnly([".venv/bin/python", "main.py"], tree.path);
    assertEquals(listNames(found), ["edited 2.0", "some-thing 1.0"]);
    assertEquals(found.recorded.packages?.[0], { name: "edited", version: "2.0", editable: true });
    const real = await run(tree.at(".venv/bin/python"), [
      "-c",
      "import sys; print(sys._base_executable)",
    ]);
    assertEquals(found.executable.real, Deno.realPathSync(real.trim()));
    assertEquals(found.tool.name, "./.venv/bin/python");
  },
);

Deno.test(
  ...unless(
    noPython,
    "an environment made twice, in different places, gives the same toolchain.json",
  ),
  async () => {
    const documents = [];
    for (const place of ["env", "somewhere/else/.venv"]) {
      using tree = makeTree();
      const packages = [{ name: "b", version: "1.0" }, { name: "a", version: "2.0" }];
      const order = place === "env" ? packages : packages.toReversed();
      install(await makeEnvironment(tree.at(place)), order);
      const runtimes = await gather([`${place}/bin/python`], tree.path);
      const { toolchain } = SAMPLE_FACTS;
      documents.push(buildToolchain({ ...toolchain, runtimes: runtimes.map((r) => r.recorded) }));
    }
    assertEquals(documents[0], documents[1]);
    assertEquals(documents[0]?.runtimes?.[0]?.packages?.map(({ name }) => name), ["a", "b"]);
  },
);

Deno.test(...unless(noPython, "a changed row of RECORD changes the package's digest"), async () => {
  using tree = makeTree();
  const sitePackages = await makeEnvironment(tree.at(".venv"));
  const digests = [];
  for (const rows of [[], ["a/data.csv,sha256=abc,3"], ["a/data.csv,sha256=abd,3"]]) {
    install(sitePackages, [{ name: "a", version: "1.0", rows }]);
    const { recorded } = await gatherOnly([".venv/bin/python"], tree.path);
    digests.push(recorded.packages?.[0]?.sha256);
  }
  assertEquals(new Set(digests).size, 3);
  // As anybody can check it: the rows of files inside of site-packages, sorted.
  const record = Deno.readTextFileSync(`${sitePackages}/a-1.0.dist-info/RECORD`).split("\n");
  const rows = record.filter((row) =>
    /^(a\/__init__\.py|a\/data\.csv|a-1\.0\.dist-info\/METADATA),/.test(row)
  );
  assertEquals(digests[2], sha256Hex(rows.sort().map((row) => `${row}\n`).join("")));
});

Deno.test(
  ...unless(noPython, "Python is asked with the search path that the command will have"),
  async () => {
    using tree = makeTree({ "app/main.py": "", "tool.py": "" });
    await makeEnvironment(tree.at(".venv"));
    for (const [place, name] of [["app", "beside"], [".", "cwd"], ["more", "more"]] as const) {
      Deno.mkdirSync(tree.at(place), { recursive: true });
      install(tree.at(place), [{ name, version: "1.0" }]);
    }
    const names = async (...args: string[]): Promise<readonly string[]> =>
      listNames(await gatherOnly([".venv/bin/python", ...args], tree.path));
    assertEquals(await names("app/main.py"), ["beside 1.0"]);
    assertEquals(await names("-c", "pass"), ["cwd 1.0"]);
    assertEquals(await names("-m", "tool"), ["cwd 1.0"]);
    assertEquals(await names("-I", "app/main.py"), []);
    const withPath = ["env", `PYTHONPATH=${tree.at("more")}`, ".venv/bin/python", "app/main.py"];
    const [found] = await gather(["env", ...withPath.slice(1)], tree.path);
    assertEquals(found && listNames(found), ["beside 1.0", "more 1.0"]);
  },
);

Deno.test(
  ...unless(noPython, "the first package of a name on the search path is the one"),
  async () => {
    using tree = makeTree({ "app/main.py": "" });
    install(await makeEnvironment(tree.at(".venv")), [{ name: "a", version: "1.0" }]);
    install(tree.at("app"), [{ name: "A", version: "2.0" }]);
    const found = await gatherOnly([".venv/bin/python", "app/main.py"], tree.path);
    assertEquals(listNames(found), ["a 2.0"]);
  },
);

Deno.test(
  ...unless(noPython, "a script's interpreter is asked, as the script starts it"),
  async () => {
    using tree = makeTree({ "app/main": "", "app/alone": "" });
    await makeEnvironment(tree.at(".venv"));
    install(tree.at("app"), [{ name: "beside", version: "1.0" }]);
    const python = tree.at(".venv/bin/python");
    Deno.writeTextFileSync(tree.at("app/main"), `#!${python}\n`);
    Deno.writeTextFileSync(tree.at("app/alone"), `#!${python} -I\n`);
    for (const [script, expected] of [["app/main", ["beside 1.0"]], ["app/alone", []]] as const) {
      Deno.chmodSync(tree.at(script), 0o755);
      assertEquals(listNames(await gatherOnly([`./${script}`], tree.path)), expected);
    }
  },
);

Deno.test(
  ...unless(noPython, "without packages, none are asked for, and that is recorded"),
  async () => {
    using tree = makeTree();
    const [found] = await gather(["python3"], tree.path, false);
    assertEquals([found?.recorded.packages, found?.recorded.packages_omitted], [null, true]);
    assertEquals(found?.notes, []);
  },
);

/** Shims as version managers write them, with the directory of their programs in place of %. */
const SHIMS: Readonly<Record<string, string>> = {
  pyenv: `#!/usr/bin/env bash
set -e
[ -n "$PYENV_DEBUG" ] && set -x

program="\${0##*/}"

export PYENV_ROOT="%"
exec "%/manager" exec "$program" "$@"
`,
  asdf: `#!/usr/bin/env bash
# asdf-plugin: python 3.12.1
exec %/manager exec "python3" "$@" # asdf_allow: ' asdf '
`,
  rbenv: `#!/usr/bin/env bash
set -e
program="\${0##*/}"
if [ "$program" = "ruby" ]; then
  for arg; do
    case "$arg" in
    -e* | -- ) break ;;
    */* )
      if [ -f "$arg" ]; then
        export RBENV_DIR="\${arg%/*}"
        break
      fi
      ;;
    esac
  done
fi
exec "%/manager" exec "$program" "$@"
`,
};

/** What reads a version file and starts the program of that version. */
const MANAGER = `#!/usr/bin/env bash
shift
read -r version < "\${RBENV_DIR:-$PWD}/.version"
program="$1"
shift
exec "%/versions/$version/$program" "$@"
`;

function writeShim(tree: TemporaryTree, kind: string, program: string): string {
  const place = tree.at("manager");
  Deno.mkdirSync(`${place}/shims`, { recursive: true });
  const files = [[`${place}/shims/${program}`, SHIMS[kind]], [
    `${place}/manager`,
    MANAGER,
  ]] as const;
  for (const [path, text = ""] of files) {
    Deno.writeTextFileSync(
      path,
      text.replaceAll("%/", `${place}/`).replaceAll('"%"', `"${place}"`),
    );
    Deno.chmodSync(path, 0o755);
  }
  return `${place}/shims/${program}`;
}

for (const kind of ["pyenv", "asdf"]) {
  Deno.test(
    ...unless(noPython, `behind a shim of ${kind}, the Python of the directory is told`),
    async () => {
      using tree = makeTree({ "root/.version": "one\n" });
      const shim = writeShim(tree, kind, "python3");
      for (const version of ["one", "two"]) {
        const site = await makeEnvironment(tree.at(`manager/envs/${version}`));
        install(site, [{ name: version, version: "1.0" }]);
        Deno.mkdirSync(tree.at(`manager/versions/${version}`), { recursive: true });
        const python = tree.at(`manager/envs/${version}/bin/python3`);
        Deno.writeTextFileSync(
          tree.at(`manager/versions/${version}/python3`),
          `#!/bin/sh\nexec '${python}' "$@"\n`,
        );
        Deno.chmodSync(tree.at(`manager/versions/${version}/python3`), 0o755);
      }
      const [bash, first] = (await gather([shim, "a.py"], tree.at("root"))).toSorted((a, b) =>
        a.recorded.name < b.recorded.name ? -1 : 1
      );
      assertEquals([bash?.recorded.name, first?.recorded.name], ["bash", "python"]);
      assertEquals(first && listNames(first), ["one 1.0"]);
      Deno.writeTextFileSync(tree.at("root/.version"), "two\n");
      const second = await gatherOnly([shim, "a.py"], tree.at("root"));
      assertEquals(listNames(second), ["two 1.0"]);
      assert(second.recorded.sha256 !== second.tool.sha256);
    },
  );
}

const noRuby = locateExecutable("ruby", "/").state === "found" ? noShell : "ruby is not installed";
Deno.test(
  ...unless(noRuby, "rbenv's shim looks from the script's directory on, also when asked"),
  async () => {
    using tree = makeTree({
      "root/.version": "none\n",
      "root/app/.version": "one\n",
      "root/app/a.rb": "",
    });
    const shim = writeShim(tree, "rbenv", "ruby");
    Deno.mkdirSync(tree.at("manager/versions/one"), { recursive: true });
    const located = locateExecutable("ruby", "/");
    assert(located.state === "found");
    Deno.symlinkSync(located.path, tree.at("manager/versions/one/ruby"));
    const found = await gatherOnly([shim, "app/a.rb"], tree.at("root"));
    assertEquals([found.recorded.name, found.fault], ["ruby", null]);
    assertEquals(found.executable.real, Deno.realPathSync(located.path));
  },
);

Deno.test(
  ...unless(noShell, "a script in the root is not started to be asked, whatever it is called"),
  async () => {
    using tree = makeTree({
      "node": "#!/bin/sh\ntouch started\n",
      "go": "#!/bin/sh\ntouch started\n",
    });
    for (const name of ["node", "go"]) {
      Deno.chmodSync(tree.at(name), 0o755);
      assertEquals(await gather([`./${name}`, "version"], tree.path), []);
      assertEquals(
        await askVersions([`./${name}`, "version"], { given: ".", path: tree.path }),
        [],
      );
    }
    assertEquals([...Deno.readDirSync(tree.path)].map(({ name }) => name).sort(), ["go", "node"]);
  },
);

const LIARS: readonly (readonly [what: string, text: string, reason: string])[] = [
  ["fails", "exit 3", "asked for its version, it ended with exit code 3"],
  ["never stops talking", "yes hello", "its answer is too long"],
  ["says nothing", "exit 0", "its answer is not that of such a runtime"],
  ["says something else", "echo hello", "its answer is not that of such a runtime"],
  ["says no version", `echo 'kprov:{"version": 3}'`, "its answer is not that of such a runtime"],
];

for (const [what, text, reason] of LIARS) {
  Deno.test(
    ...unless(noShell, `a python3 that ${what} is recorded without a version, with a note`),
    async () => {
      using tree = makeTree({ "bin/python3": `#!/bin/sh\n${text}\n` });
      Deno.mkdirSync(tree.at("root"));
      Deno.chmodSync(tree.at("bin/python3"), 0o755);
      const { recorded, fault, notes } = await gatherOnly(
        [tree.at("bin/python3")],
        tree.at("root"),
      );
      assertEquals(recorded, {
        name: "python",
        version: null,
        implementation: null,
        sha256: sha256Hex(Deno.readFileSync(tree.at("bin/python3"))),
        packages: null,
      });
      assertEquals(fault, { reason, flag: null });
      assertEquals(notes.map(({ code, level, message }) => [code, level, message]), [[
        "runtime.unknown_version",
        "note",
        `the version of python "python3" is not known: ${reason}`,
      ]]);
    },
  );
}

Deno.test(...unless(noShell, "what start-up code prints does not hide the answer"), async () => {
  using tree = makeTree({
    "bin/python3":
      `#!/bin/sh\necho hello\necho 'kprov:{"version":"3.12.1","executable":null}'\necho bye\n`,
  });
  Deno.mkdirSync(tree.at("root"));
  Deno.chmodSync(tree.at("bin/python3"), 0o755);
  const { recorded, notes } = await gatherOnly([tree.at("bin/python3")], tree.at("root"));
  assertEquals([recorded.version, recorded.packages], ["3.12.1", []]);
  // A script that does not tell what it starts is digested itself, and that is said.
  assertEquals(notes.map(({ code }) => code), ["runtime.unknown_executable"]);
});

Deno.test(
  ...unless(noShell, "conda's records are packages of what stands in its environment"),
  async () => {
    using tree = makeTree({
      "conda-meta/pandas-2.1.1-0.json": JSON.stringify({
        name: "pandas",
        version: "2.1.1",
        sha256: "ab".repeat(32),
        url: "https://conda.example/t/secret/conda-forge/linux-64/pandas-2.1.1-0.conda",
      }),
      "conda-meta/local-1.0-0.json": JSON.stringify({
        name: "local",
        version: "1.0",
        url: "https://conda.example/t/secret/conda-forge/linux-64/local-1.0-0.conda",
      }),
      "conda-meta/history": "",
    });
    const meta = tree.at("conda-meta");
    Deno.mkdirSync(tree.at("bin"));
    Deno.writeTextFileSync(
      tree.at("bin/python3"),
      `#!/bin/sh\necho 'kprov:{"version":"3.12.1","executable":"/bin/sh","conda":"${meta}"}'\n`,
    );
    Deno.chmodSync(tree.at("bin/python3"), 0o755);
    const { recorded } = await gatherOnly([tree.at("bin/python3")], tree.at("conda-meta"));
    assertEquals(recorded.packages?.toSorted((a, b) => a.name < b.name ? -1 : 1), [
      {
        name: "local",
        version: "1.0",
        manager: "conda",
        source: { url: "https://conda.example/conda-forge/linux-64/local-1.0-0.conda" },
      },
      {
        name: "pandas",
        version: "2.1.1",
        manager: "conda",
        source: { archive: `sha256:${"ab".repeat(32)}` },
      },
    ]);
  },
);

Deno.test(...unless(noShell, "conda's records that are not there refuse the run"), async () => {
  using tree = makeTree({
    "bin/python3": "#!/bin/sh\n" +
      `echo 'kprov:{"version":"3.12.1","executable":"/bin/sh","conda":"/gone"}'\n`,
    "root/a": "",
  });
  Deno.chmodSync(tree.at("bin/python3"), 0o755);
  const error = await assertRejects(
    () => gatherOnly([tree.at("bin/python3")], tree.at("root")),
    KprovError,
  );
  assertEquals(error.code, "data");
  assertEquals(error.message, 'Cannot read records of conda in "/gone": it does not exist');
});

Deno.test(
  ...unless(
    noShell,
    "the interpreter of a script in the root is asked for its version in its place",
  ),
  async () => {
    using tree = makeTree({
      "check": "#!/usr/bin/env bash\n",
      "loop": "#!./loop\n",
      "outer": "#!./check\n",
    });
    const root = { given: ".", path: tree.path };
    const names = async (program: string): Promise<readonly string[]> =>
      (await askVersions([program], root)).map(({ name, program: called }) => `${name} ${called}`);
    assertEquals(await names("./check"), ["bash bash"]);
    assertEquals(await names("./outer"), ["bash bash"]);
    assertEquals(await names("./loop"), []);
    assertEquals(await names("true"), []);
  },
);
