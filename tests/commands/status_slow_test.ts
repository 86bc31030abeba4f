import { assertEquals } from "../assert.ts";
import { install, makeEnvironment, whyNoPython } from "../io/runtimes/python_environment.ts";
import { runKprov } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";

const ALL = ["--allow-all"];

Deno.test(
  ...unless(
    whyNoPython(),
    "status names a changed package once, by what is installed and by evidence",
  ),
  async () => {
    using tree = makeTree({
      "raw": "1",
      "copy.py": "import sys, shutil; shutil.copy(sys.argv[1], sys.argv[2])",
    });
    const sitePackages = await makeEnvironment(tree.at(".venv"));
    install(sitePackages, [{ name: "pandas", version: "2.1" }, { name: "other", version: "1" }]);
    const make = (from: string, to: string, time: string) =>
      runKprov(
        [
          "run",
          from,
          "copy.py",
          "--products",
          to,
          "--at",
          `2026-02-15T20:13:${time}Z`,
          "--quiet",
          "--",
        ]
          .concat([".venv/bin/python", "copy.py", from, to]),
        { cwd: tree.path, permissions: ALL },
      );
    const ask = async (permissions: readonly string[]): Promise<string> =>
      (await runKprov(["status", "--quiet"], { cwd: tree.path, permissions })).stdout;
    assertEquals((await make("raw", "clean", "00")).code, 0);
    assertEquals((await make("clean", "model", "01")).code, 0);
    const current = "current   clean\ncurrent   model\n2 of 2 products current\n";
    assertEquals(await ask(ALL), current);

    install(sitePackages, [{ name: "pandas", version: "2.2" }]);
    const stale = "stale     clean  because of package pandas\n" +
      "stale     model  because of package pandas\n0 of 2 products current\n";
    assertEquals(await ask(ALL), stale);
    // Who may not read the Python has the word of the runs, and none found it otherwise yet.
    const narrow = ["--allow-read=."];
    assertEquals(await ask(["--allow-read"]), stale);
    assertEquals(await ask(narrow), current);

    assertEquals((await make("clean", "model", "02")).code, 0);
    const byEvidence = "stale     clean  because of package pandas\n" +
      "stale     model  because of package pandas\n0 of 2 products current\n";
    assertEquals(await ask(narrow), byEvidence);
    assertEquals((await make("raw", "clean", "03")).code, 0);
    assertEquals(await ask(narrow), current);
    assertEquals(await ask(ALL), current);
  },
);
