import { ARTIFACTS } from "../../src/guards/artifacts.ts";
import { gatherTrackedFiles } from "../../src/io/git/index_file.ts";
import { assert, assertEquals } from "../assert.ts";
import { withRepository } from "../io/git/git_repository.ts";

const NAMES = [
  "*",
  ":a",
  ":(glob)**",
  "?",
  "-rf",
  "a b",
  "a\nb",
  "\u001b[2Ja",
  "[ab]",
  "\\",
  "it's",
  "$(echo a)",
  "\u202Ea",
  "b",
];

function runShell(cwd: string, line: string): void {
  const env = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const { success } = new Deno.Command("bash", { args: ["-c", line], cwd, env }).outputSync();
  assert(success, line);
}

Deno.test("the hint of ARTIFACTS, run by a shell, takes exactly that path out of the index", () => {
  withRepository([], (repo) => {
    repo.trackAll(["keep", ...NAMES.map((name) => `runs/${name}`), ":(top)keep/b", ...NAMES]);
    const tracked = gatherTrackedFiles(repo.path);
    assert(!("code" in tracked));
    const facts = {
      tracked,
      contents: new Map(),
      hits: [],
      yaml: new Map(),
      governance: null,
      runningDeno: "2.9.6",
    };
    const findings = ARTIFACTS.check(facts, {
      schema: "kprovengine.policy.v1",
      artifacts: { deny: ["{runs/,}\\**", "{runs/,}[:?$\\-\\\\\\[]*", "runs/**"] },
    });
    assert(findings.some(({ path }) => path === "runs") && findings.length > 5);
    const expected = new Set(repo.list());
    for (const { path, hint } of findings) {
      runShell(repo.path, hint ?? "");
      expected.delete(path ?? "");
      // A directory goes with all that is below it.
      for (const name of expected) if (name.startsWith(`${path}/`)) expected.delete(name);
      assertEquals(repo.list(), [...expected], hint ?? "");
    }
  });
});
