import { locateExecutable } from "../../src/io/tools.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { type Ended, runKprov } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN = "runs/2026-02-15T20-13-00Z";
const noShell = Deno.build.os === "windows" ? "these are shell scripts" : null;

function start(
  tree: TemporaryTree,
  args: readonly string[],
  permissions = ["--allow-run"],
): Promise<Ended> {
  return runKprov(args, {
    cwd: tree.at("w"),
    permissions: ["--allow-read", "--allow-write", "--allow-env=PATH", ...permissions],
    env: { PATH: `${tree.at("bin")}:${Deno.env.get("PATH")}` },
  });
}

/** A project with a policy, and programs in PATH in front of all others. */
function makeProject(
  runtime: Readonly<Record<string, string>>,
  programs: Readonly<Record<string, string>> = {},
): TemporaryTree {
  const policy = JSON.stringify({ schema: "kprovengine.policy.v1", runtime });
  const tree = makeTree({ "w/a.txt": "a", "w/docs/governance/policy.json": policy });
  Deno.mkdirSync(tree.at("bin"));
  for (const [name, text] of Object.entries(programs)) {
    Deno.writeTextFileSync(tree.at(`bin/${name}`), text);
    Deno.chmodSync(tree.at(`bin/${name}`), 0o755);
  }
  return tree;
}

function answer(version: string): string {
  return `#!/bin/sh\necho run >> ../ran\necho 'kprov:{"version":"${version}","executable":"/bin/sh"}'\n`;
}

Deno.test(
  ...unless(
    noShell,
    "the policy refuses a runtime wherever the run uses it, and nothing is written",
  ),
  async () => {
    const programs = {
      node: answer("18.0.0"),
      tool: "#!/usr/bin/env node\n",
      python3: answer("3.12.1"),
    };
    using tree = makeProject({ node: ">=20", python: ">=3.11,<3.13" }, programs);
    const cases: readonly (readonly string[])[] = [
      ["a.txt", "--", "node", "x.js"],
      ["a.txt", "--", "env", "A=1", "node", "x.js"],
      ["a.txt", "--", "tool"],
      ["a.txt", "--tool", "node", "--", "true"],
      ["a.txt", "--tool", "tool", "--", "python3"],
      ["record", "start", "a.txt", "--state", "state", "--tool", "node"],
    ];
    for (const args of cases) {
      const { code, stdout, stderr } = await start(tree, args);
      assertEquals([code, stdout], [1, ""], `${args.join(" ")}: ${stderr}`);
      assertEquals(
        stderr,
        'error: Cannot run on node 18.0.0 ("node"): the range of docs/governance/policy.json is >=20\n',
      );
      assertEquals(listNames(tree.at("w")), ["a.txt", "docs"]);
    }
  },
);

Deno.test(
  ...unless(noShell, "a version that is not known is refused where the policy names the runtime"),
  async () => {
    using tree = makeProject({ python: ">=3.11" }, {
      python3: "#!/bin/sh\nexit 3\n",
      node: "#!/bin/sh\n",
    });
    const refused = await start(tree, ["a.txt", "--", "python3", "x.py"]);
    assertEquals([refused.code, refused.stderr], [
      1,
      'error: Cannot run on python ("python3"): its version is not known (asked for its version, it ended with ' +
      "exit code 3), and the range of docs/governance/policy.json is >=3.11\n",
    ]);
    // Another one is recorded, with a note.
    const run = await start(tree, ["a.txt", "--at", AT, "--format", "json", "--", "node"]);
    assertEquals(run.code, 0, run.stderr);
    assertStringIncludes(run.stderr, "runtime.unknown_version");
    assertStringIncludes(run.stdout, '"code": "runtime.unknown_version"');
    const { runtimes } = JSON.parse(Deno.readTextFileSync(tree.at(`w/${RUN}/toolchain.json`)));
    assertEquals([runtimes[0].name, runtimes[0].version, runtimes[0].packages], [
      "node",
      null,
      null,
    ]);
  },
);

Deno.test(
  ...unless(noShell, "an interpreter that may not be asked is named with the flag that lets it be"),
  async () => {
    using tree = makeProject({ python: ">=3.11" }, {
      tool: "#!/usr/bin/env python3\n",
      python3: answer("3.12.1"),
    });
    const flag = `--allow-run=${tree.at("bin/python3")}`;
    const refused = await start(tree, ["a.txt", "--", "tool"], ["--allow-run=tool"]);
    assertEquals(refused.code, 77);
    assertStringIncludes(refused.stderr, `hint: run with ${flag}, or use the command kprov-run\n`);
    assert(!listNames(tree.path).includes("ran"), "it was asked all the same");
    const run = await start(tree, ["a.txt", "--at", AT, "--", "tool"], [`${flag},tool`]);
    assertEquals(run.code, 0, run.stderr);
    const { runtime_policy } = JSON.parse(
      Deno.readTextFileSync(tree.at(`w/${RUN}/run_summary.json`)),
    );
    assertEquals(runtime_policy[1], {
      runtime: "python",
      range: ">=3.11",
      version: "3.12.1",
      satisfied: true,
    });
  },
);

Deno.test(
  ...unless(noShell, "uv and its kind are noted, unless a --tool says what they start"),
  async () => {
    using tree = makeProject({}, { uv: "#!/bin/sh\n", python3: answer("3.12.1") });
    const found = (await start(tree, ["a.txt", "--", "uv", "run", "x.py"])).stderr;
    assertStringIncludes(found, "runtime.unseen");
    const named = await start(tree, ["a.txt", "--tool", "python3", "--", "uv", "run", "x.py"]);
    assert(!named.stderr.includes("runtime.unseen"), named.stderr);
  },
);

/** Two Pythons of different versions, or why there are none. */
async function findTwoPythons(): Promise<readonly [string, string] | null> {
  const versions = new Map<string, string>();
  const places = ["/usr/bin", `${Deno.env.get("HOME")}/.pyenv/versions/3.12.1/bin`];
  for (const name of ["python3", ...places.map((place) => `${place}/python3`), "pypy3"]) {
    const located = locateExecutable(name, "/");
    if (located.state !== "found") continue;
    const args = ["-c", "import platform, sys; print(platform.python_version(), sys.executable)"];
    const { stdout } = await new Deno.Command(located.path, { args }).output();
    const [version = "", path = ""] = new TextDecoder().decode(stdout).trim().split(" ");
    versions.set(version, path);
  }
  const [one, two] = [...versions.values()];
  return one === undefined || two === undefined ? null : [one, two];
}

const pythons = noShell === null ? await findTwoPythons() : null;

Deno.test(
  ...unless(
    pythons === null ? "there are not two Pythons" : null,
    "two Pythons behind one shim are told apart by diff, and by reproduce",
  ),
  async () => {
    const shim = `#!/usr/bin/env bash
read -r python < "$PWD/.python"
exec "$python" "$@"
`;
    using tree = makeProject({}, { python3: shim });
    Deno.writeTextFileSync(tree.at("w/main.py"), 'open("out", "w").write("x")\n');
    const runs = [];
    for (const [i, python] of (pythons ?? []).entries()) {
      Deno.writeTextFileSync(tree.at("w/.python"), `${python}\n`);
      const at = AT.replace("00Z", `0${i}Z`);
      const args = [
        "a.txt",
        "main.py",
        "--products",
        "out",
        "--no-packages",
        "--at",
        at,
        "--quiet",
      ];
      const { code, stderr } = await start(tree, [...args, "--", "python3", "main.py"]);
      assertEquals([code, stderr], [0, ""]);
      runs.push(RUN.replace("00Z", `0${i}Z`));
    }
    const diff = await start(tree, ["diff", ...runs]);
    assertEquals(diff.code, 1);
    assert(/^ {2}changed {2}python {2}3\.\d+\.\d+ -> 3\.\d+\.\d+$/m.test(diff.stdout), diff.stdout);
    const again = await start(tree, ["reproduce", runs[0] ?? ""]);
    assertEquals(again.code, 1);
    assertStringIncludes(again.stdout, "runtime.changed: runtime python 3.");
  },
);

/** Variables that make a runtime load something, with what it loads. */
const START_UP:
  readonly (readonly [program: string, variable: string, value: string, text: string])[] = [
    ["bash", "BASH_ENV", "%", "touch loaded"],
    ["node", "NODE_OPTIONS", "--import %", "require('fs').writeFileSync('loaded', '')"],
    ["perl", "PERL5OPT", "-Mloaded", "open my $file, '>', 'loaded'; 1;"],
    ["ruby", "RUBYOPT", "-r%", "File.write('loaded', '')"],
  ];

for (const [program, variable, value, text] of START_UP) {
  const isHere = noShell === null && locateExecutable(program, "/").state === "found";
  Deno.test(
    ...unless(
      isHere ? null : `${program} is not here`,
      `${program} is asked without what ${variable} loads`,
    ),
    async () => {
      using tree = makeTree({ "loaded.pm": text, "loaded.cjs": text, "w/a.txt": "a" });
      const { code, stdout, stderr } = await runKprov(
        ["toolchain", "--no-packages", "--", program],
        {
          cwd: tree.at("w"),
          permissions: ["--allow-read", "--allow-run"],
          env: { [variable]: value.replace("%", tree.at("loaded.cjs")), PERL5LIB: tree.path },
        },
      );
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(stdout, `"name": "${program}"`);
      assertEquals(listNames(tree.at("w")), ["a.txt"]);
    },
  );
}
