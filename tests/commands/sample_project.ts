import { assert, assertEquals } from "../assert.ts";
import { callKprov } from "../faults/call_kprov.ts";
import { decode } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";

/** A run in the project, relative to it. */
export const RUN = "runs/2026-02-15T20-13-00Z";
/** Another of the same second. */
export const OTHER_RUN = `${RUN}-2`;
/** One that wrapped a command. */
export const WRAPPED_RUN = "runs/2026-02-15T20-13-01Z";

const POLICY = {
  schema: "kprovengine.policy.v1",
  artifacts: {},
  preflight: { steps: [["true"]] },
  lock: {
    path: "docs/governance/governance.lock.json",
    version_from: { path: "package.json", pointer: "/version" },
    governs: ["docs/governance/policy.json"],
  },
};

/** A project in `w`, others in it, and beside it what is read and written out of it. */
export const PROJECT: TemporaryTree = makeTree({
  "w/a.txt": "a",
  "w/data/b.txt": "b",
  "w/package.json": `{"name": "acme", "version": "1.0.0-rc.1"}`,
  "w/docs/governance/policy.json": JSON.stringify(POLICY),
  "w/fresh/package.json": `{"name": "acme", "version": "1.0.0"}`,
  "w/unlocked/package.json": `{"name": "acme", "version": "1.0.0"}`,
  "w/unlocked/docs/governance/policy.json": JSON.stringify(POLICY),
  "w/state/other": "",
  "result/other": "",
  "store/x": "x",
  "lists/names": "a.txt\n",
  "lists/ignore": "*.tmp\n",
});
Deno.symlinkSync("../store/x", PROJECT.at("w/link"));
globalThis.addEventListener("unload", () => PROJECT[Symbol.dispose]());

/** Makes runs, shards, a lock and a recording, in the project and beside it. */
export async function fillProject(): Promise<void> {
  const script = "for d in . fresh unlocked; do git init -q $d; git -C $d add -A . ; done";
  const git = new Deno.Command("sh", { args: ["-c", script], cwd: PROJECT.at("w") });
  const { success, stderr } = await git.output();
  assert(success, decode(stderr));
  const common = ["--root", PROJECT.at("w"), "--quiet", "--at", AT];
  const input = PROJECT.at("w/a.txt");
  const copy = ["--products", PROJECT.at("w/c.txt"), "--", "cp", "a.txt", "c.txt"];
  for (
    const args of [
      ["init", "--root", PROJECT.at("w"), "--renew-lock"],
      [input, ...common, "--out", PROJECT.at("w/runs")],
      [input, ...common, "--out", PROJECT.at("w/runs")],
      [input, ...common, "--out", PROJECT.at("runs")],
      [input, ...common, "--out", PROJECT.at("parts"), "--shard", "1/2"],
      [input, ...common, "--out", PROJECT.at("parts"), "--shard", "2/2"],
      [
        input,
        ...common.slice(0, -1),
        "2026-02-15T20:13:01Z",
        "--out",
        PROJECT.at("w/runs"),
        ...copy,
      ],
      ["record", "start", input, ...common.slice(0, 3), "--state", PROJECT.at("state.json")],
    ]
  ) {
    const { code, stderr } = await callKprov(args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
  }
  // What is a product of the record that was started: the command between its start and its end made it.
  Deno.writeTextFileSync(PROJECT.at("w/data/b.txt"), "b");
  Deno.copyFileSync(PROJECT.at("w/docs/governance/governance.lock.json"), PROJECT.at("lock.json"));
}
