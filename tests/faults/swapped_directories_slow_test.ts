import { assert, assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";
import { callKprov } from "./call_kprov.ts";
import { meddle } from "./meddle.ts";

const IS_WINDOWS = Deno.build.os === "windows";

const POLICY = {
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "sample",
    display_name: "Sample",
    repository: "https://example.org/a/sample",
    surfaces: [],
    forbidden_tokens: ["forbidden"],
  },
};

/** Where files are tracked, how many, and after which look at what `many` is exchanged. */
interface Exchange {
  readonly what: string;
  readonly directory: string;
  readonly count: number;
  readonly after: string;
  readonly look: number;
  /** Whether a second has passed since the directories changed when they are looked at first. */
  readonly isSettled: boolean;
  readonly message: string;
}

const ON_THE_WAY = "a directory on the way to it changed meanwhile";

const EXCHANGES: readonly Exchange[] = [
  {
    what: "when it is listed",
    directory: "many",
    count: 12,
    after: "many/",
    look: 2,
    isSettled: true,
    message: `"many/0.txt": ${ON_THE_WAY}`,
  },
  {
    what: "when a file in it is looked at",
    directory: "many",
    count: 3,
    after: "many/2.txt",
    look: 1,
    isSettled: true,
    message: `"many/0.txt": ${ON_THE_WAY}`,
  },
  {
    what: "when one below it is listed",
    directory: "many/d",
    count: 12,
    after: "many/d/",
    look: 2,
    isSettled: true,
    message: `"many/d/0.txt": ${ON_THE_WAY}`,
  },
  {
    what: "when a file in it is looked at, as soon as it is made",
    directory: "many",
    count: 12,
    after: "many/2.txt",
    look: 1,
    isSettled: false,
    message: '"many/2.txt": it changed while it was read',
  },
];

for (const { what, directory, count, after, look, isSettled, message } of EXCHANGES) {
  Deno.test({
    name: `a guard does not take for what is tracked what stands in a directory's place, ${what}`,
    ignore: IS_WINDOWS,
    fn: async () => {
      const names = Array.from({ length: count }, (_, i) => `${directory}/${i}.txt`);
      using tree = makeTree({
        "docs/governance/policy.json": JSON.stringify(POLICY),
        ...Object.fromEntries(names.map((name) => [name, "forbidden"])),
        ...Object.fromEntries(names.map((name) => [`.git/${name}`, "it is fine"])),
      });
      const list = ["docs/governance/policy.json", ...names];
      Deno.writeTextFileSync(tree.at(".git/list"), list.map((name) => `${name}\0`).join(""));
      const exchange = (): void => {
        Deno.renameSync(tree.at("many"), tree.at(".git/aside"));
        Deno.renameSync(tree.at(".git/many"), tree.at("many"));
        Deno.renameSync(tree.at(".git/aside"), tree.at(".git/many"));
      };
      await new Promise((resolve) => setTimeout(resolve, isSettled ? 1100 : 50));
      let isTouched = isSettled;
      let looks = 0;
      let isAway = false;
      const meddler = {
        // Looked at as it is, read as something else, and looked at again as it is.
        after: (path: string): void => {
          if (path !== tree.at(after) || ++looks !== look) return;
          exchange();
          isAway = true;
        },
        before: (path: string): void => {
          if (!isTouched && path === tree.at("many")) {
            Deno.chmodSync(path, 0o755);
            isTouched = true;
          }
          if (isAway) exchange();
          isAway = false;
        },
      };
      const args = ["guard", "identity", "--root", tree.path, "--files-from", tree.at(".git/list")];
      const ended = await meddle(meddler, () => callKprov(args));
      assert(looks >= look);
      assertEquals(ended, {
        code: 65,
        stdout: "",
        stderr: `error: Cannot read tracked file ${message}\n` +
          (message.endsWith(ON_THE_WAY) ? "" : "hint: restore it, or remove it from git's index\n"),
      });
    },
  });
}
