import { sha256Hex } from "../../mod.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import type { Ended } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { callKprov } from "./call_kprov.ts";
import { meddle } from "./meddle.ts";

const IS_WINDOWS = Deno.build.os === "windows";

/** The files that stand there; another directory has all of `in/d/sub` with other content. */
const INSIDE = { "in/d/b.txt": "b", "in/d/sub/a.txt": "inside", "in/d/sub/deep/c.txt": "inside" };
const OUTSIDE = { "else/out/a.txt": "outside", "else/out/deep/c.txt": "outside" };

/** So many moments, at most, are those of the looks that end a run. */
const LAST_LOOKS = 10;

/** A command that reads `in/d` in a tree, and what must hold if it says that all is well. */
interface Scenario {
  readonly name: string;
  readonly args: readonly string[];
  readonly prepare?: (tree: TemporaryTree) => Promise<void>;
  /** How it ends where nobody disturbs it. */
  readonly code: number;
  /** What stands in for `in/d/sub` meanwhile; default: a link to where other files are. */
  readonly swapIn?: (tree: TemporaryTree) => void;
  readonly swapOut?: (tree: TemporaryTree) => void;
  readonly check: (tree: TemporaryTree, what: string, isBack: boolean) => void;
}

function callIn(tree: TemporaryTree, args: readonly string[]): Promise<Ended> {
  const paths = args.map((arg) => /^(in|runs|state)\b/.test(arg) ? tree.at(arg) : arg);
  const [verb] = args;
  const out = verb === "verify" ? [] : ["--out", tree.at("runs")];
  return callKprov([...paths, "--root", tree.path, ...out, "--quiet"]);
}

function readProvenance(tree: TemporaryTree): {
  readonly subject: readonly Descriptor[];
  readonly predicate: {
    readonly buildDefinition: { readonly resolvedDependencies: readonly Descriptor[] };
  };
} {
  const [run] = listNames(tree.at("runs"));
  return JSON.parse(Deno.readTextFileSync(tree.at(`runs/${run}/provenance.json`)));
}

interface Descriptor {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

/** Files by their names, with their content or a link's target. */
type Files = Readonly<Record<string, string>>;

function describeFiles(files: Files): readonly (readonly [string, string])[] {
  return Object.entries(files).sort().map(([name, text]) => [name, sha256Hex(text)]);
}

/** What is recorded stood there as a whole: as it does now, or as it did until something else came. */
function assertExact(
  recorded: readonly Descriptor[],
  { inside, swapped }: { readonly inside: Files; readonly swapped: Files | null },
  what: string,
): void {
  const shown = JSON.stringify(recorded.map(({ name, digest }) => [name, digest.sha256]));
  const allowed = [inside, ...(swapped === null ? [] : [swapped])].map(describeFiles);
  assert(allowed.map((files) => JSON.stringify(files)).includes(shown), `${what}\n${shown}`);
}

function pick(files: Files, names: readonly string[]): Files {
  return Object.fromEntries(Object.entries(files).filter(([name]) => names.includes(name)));
}

function checkInputs(
  names: readonly string[],
  swapped: (tree: TemporaryTree) => Files | null = () => null,
): Scenario["check"] {
  return (tree, what, isBack) => {
    const { resolvedDependencies } = readProvenance(tree).predicate.buildDefinition;
    const files = { inside: pick(INSIDE, names), swapped: isBack ? null : swapped(tree) };
    assertExact(resolvedDependencies, files, what);
  };
}

function linked(tree: TemporaryTree): Files {
  return { "in/d/b.txt": "b", "in/d/sub": tree.at("else/out") };
}

function swapIn(tree: TemporaryTree): void {
  Deno.renameSync(tree.at("in/d/sub"), tree.at("else/aside"));
  Deno.symlinkSync(tree.at("else/out"), tree.at("in/d/sub"));
}

function swapOut(tree: TemporaryTree): void {
  Deno.removeSync(tree.at("in/d/sub"));
  Deno.renameSync(tree.at("else/aside"), tree.at("in/d/sub"));
}

/** As a build does beside kprov. */
function writeBeside(tree: TemporaryTree): void {
  for (const place of ["beside", "in/beside", "in/d/beside"]) {
    Deno.writeTextFileSync(tree.at(place), "");
    Deno.removeSync(tree.at(place));
  }
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "a directory",
    args: ["run", "in/d"],
    code: 0,
    check: checkInputs(Object.keys(INSIDE), linked),
  },
  {
    name: "a directory that is exchanged for another one",
    args: ["run", "in/d"],
    code: 0,
    swapIn: (tree) => {
      Deno.renameSync(tree.at("in/d/sub"), tree.at("else/aside"));
      Deno.renameSync(tree.at("else/out"), tree.at("in/d/sub"));
    },
    swapOut: (tree) => {
      Deno.renameSync(tree.at("in/d/sub"), tree.at("else/out"));
      Deno.renameSync(tree.at("else/aside"), tree.at("in/d/sub"));
    },
    check: checkInputs(Object.keys(INSIDE), () => ({
      "in/d/b.txt": "b",
      "in/d/sub/a.txt": "outside",
      "in/d/sub/deep/c.txt": "outside",
    })),
  },
  {
    name: "a file named by its path",
    args: ["run", "in/d/sub/a.txt"],
    code: 0,
    check: checkInputs(["in/d/sub/a.txt"]),
  },
  {
    name: "a file named by its path, while others write around it",
    args: ["run", "in/d/sub/a.txt"],
    code: 0,
    swapIn: (tree) => (writeBeside(tree), swapIn(tree)),
    swapOut: (tree) => (swapOut(tree), writeBeside(tree)),
    check: checkInputs(["in/d/sub/a.txt"]),
  },
  {
    name: "a directory below one that is swapped",
    args: ["run", "in/d/sub/deep"],
    code: 0,
    check: checkInputs(["in/d/sub/deep/c.txt"]),
  },
  {
    name: "a file that is exchanged for another one",
    args: ["run", "in/d/b.txt"],
    code: 0,
    swapIn: (tree) => {
      Deno.renameSync(tree.at("in/d/b.txt"), tree.at("else/aside"));
      Deno.writeTextFileSync(tree.at("in/d/b.txt"), "x");
    },
    swapOut: (tree) => Deno.renameSync(tree.at("else/aside"), tree.at("in/d/b.txt")),
    check: checkInputs(["in/d/b.txt"], () => ({ "in/d/b.txt": "x" })),
  },
  {
    name: "the products of a command",
    args: ["record", "finish", "--state", "state", "--products", "in/d"],
    prepare: async (tree) => {
      Deno.writeTextFileSync(tree.at("in/a.txt"), "a");
      // As if it had waited for its second to be over, which it does not here.
      const { now } = Date;
      Date.now = () => now() - 60_000;
      const args = ["record", "start", "in/a.txt", "--state", "state"];
      const { code, stderr } = await callIn(tree, args).finally(() => Date.now = now);
      assertEquals([code, stderr], [0, ""]);
      // What the command between start and end makes.
      for (const [name, text] of Object.entries(INSIDE)) {
        Deno.writeTextFileSync(tree.at(name), text);
      }
    },
    code: 0,
    check: (tree, what, isBack) => {
      const { subject } = readProvenance(tree);
      assertExact(subject, { inside: INSIDE, swapped: isBack ? null : linked(tree) }, what);
    },
  },
  {
    name: "files that are not what was recorded",
    args: ["verify", "runs"],
    prepare: async (tree) => {
      const { code, stderr } = await callIn(tree, ["run", "in/d"]);
      assertEquals([code, stderr], [0, ""]);
      // What was recorded stands elsewhere now.
      Deno.removeSync(tree.at("else/out"), { recursive: true });
      Deno.renameSync(tree.at("in/d/sub"), tree.at("else/out"));
      Deno.mkdirSync(tree.at("in/d/sub/deep"), { recursive: true });
      Deno.writeTextFileSync(tree.at("in/d/sub/a.txt"), "forged");
      Deno.writeTextFileSync(tree.at("in/d/sub/deep/c.txt"), "forged");
    },
    code: 1,
    check: (_, what) => assert(false, `verified: ${what}`),
  },
];

/**
 * Runs it with the swap at one moment and the swap back at another. The moments are those before and
 * behind each look at what is below `in`; files are opened and read between two of them.
 */
async function disturb(
  scenario: Scenario,
  [first, last]: readonly [number, number],
): Promise<{ readonly ended: Ended; readonly moments: number }> {
  using tree = makeTree({ ...INSIDE, ...OUTSIDE });
  await meddle({ isHasty: true }, async () => await scenario.prepare?.(tree));
  let moments = 0;
  const take = (path: string): void => {
    if (!path.startsWith(tree.at("in"))) return;
    if (moments === first) (scenario.swapIn ?? swapIn)(tree);
    if (moments === last) (scenario.swapOut ?? swapOut)(tree);
    moments++;
  };
  const ended = await meddle(
    { before: take, after: take, isHasty: true },
    () => callIn(tree, scenario.args),
  );
  // The looks that end a run see some things before the swap back, and some behind it.
  const isBack = moments > last + LAST_LOOKS;
  const what = `swapped at ${first} and back at ${last}: ${ended.stderr}`;
  if (ended.code === 0) scenario.check(tree, what, isBack);
  else if (scenario.code === 0) {
    assertMatch(ended.stderr, /^error: Cannot (read|use|record) [^\n]+\n(hint: [^\n]+\n)?$/, what);
    assertEquals([ended.code, ended.stdout], [65, ""], what);
    if (scenario.args[0] === "run") assertEquals(listNames(tree.at("runs")), [], what);
  }
  return { ended, moments };
}

for (const scenario of SCENARIOS) {
  Deno.test({
    name: `whenever it is swapped for a while, ${scenario.name}: recorded as it is, or refused`,
    ignore: IS_WINDOWS,
    fn: async () => {
      const { ended, moments } = await disturb(scenario, [Infinity, Infinity]);
      assertEquals(ended.code, scenario.code, ended.stderr);
      assert(moments > 6);
      for (let first = 0; first < moments; first++) {
        for (let last = first + 1; last < 2 * moments; last += 3 * (last - first)) {
          // From where it shows, a run ends earlier.
          const { moments: reached } = await disturb(scenario, [first, last]);
          if (reached <= last) break;
        }
      }
    },
  });
}

Deno.test("a file named by its path is recorded while others write around it", async () => {
  using tree = makeTree(INSIDE);
  const before = (path: string): void => {
    if (!path.startsWith(tree.at("in"))) return;
    Deno.writeTextFileSync(tree.at("in/d/sub/beside"), "");
    Deno.removeSync(tree.at("in/d/sub/beside"));
  };
  const ended = await meddle({ before }, () => callIn(tree, ["run", "in/d/sub/a.txt"]));
  assertEquals([ended.code, ended.stderr], [0, ""]);
  checkInputs(["in/d/sub/a.txt"])(tree, "", true);
});

Deno.test("the root is recorded while another run makes the output directory in it", async () => {
  using tree = makeTree(INSIDE);
  const before = (path: string): void => {
    if (path === tree.at("in/d/b.txt")) Deno.mkdirSync(tree.at("runs"), { recursive: true });
  };
  const ended = await meddle({ before }, () => callIn(tree, ["run", tree.path]));
  assertEquals([ended.code, ended.stderr], [0, ""]);
  checkInputs(Object.keys(INSIDE))(tree, "", true);
});

Deno.test({
  name: "what is added to a directory once it is listed refuses the run",
  ignore: IS_WINDOWS,
  fn: async () => {
    using tree = makeTree(INSIDE);
    const before = (path: string): void => {
      if (path === tree.at("in/d/b.txt")) Deno.writeTextFileSync(tree.at("in/d/sub/new.txt"), "");
    };
    const ended = await meddle({ before }, () => callIn(tree, ["run", "in/d"]));
    assertEquals(ended, {
      code: 65,
      stdout: "",
      stderr: 'error: Cannot read directory "in/d/sub": it changed while it was read\n',
    });
  },
});

/** Swaps for as long as it is told, with pauses of all lengths up to those of a run. */
const SWAPPER = `
const [tree, swaps] = [Deno.args[0], Number(Deno.args[1])];
const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
for (let i = 0; i < swaps; i++) {
  Deno.renameSync(tree + "/in/d/sub", tree + "/else/aside");
  Deno.symlinkSync(tree + "/else/out", tree + "/in/d/sub");
  if (i % 3 > 0) wait(i % 7 / 3);
  Deno.removeSync(tree + "/in/d/sub");
  Deno.renameSync(tree + "/else/aside", tree + "/in/d/sub");
  if (i % 100 < 50) wait(i % 11 / 4);
  else if (i % 20 === 0) wait(30);
}
`;

Deno.test({
  name: "no run over a directory that is swapped 2,000 times records what stands elsewhere",
  ignore: IS_WINDOWS,
  fn: async () => {
    using tree = makeTree({ ...INSIDE, ...OUTSIDE, "swapper.js": SWAPPER });
    const swapper = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", tree.at("swapper.js"), tree.path, "2000"],
    }).spawn();
    let isSwapping = true;
    const ended = swapper.status.then(({ success }) => {
      isSwapping = false;
      return success;
    });
    let runs = 0;
    while (isSwapping) {
      const { code, stderr } = await callIn(tree, ["run", "in/d"]);
      if (code === 0) checkInputs(Object.keys(INSIDE), linked)(tree, "", false);
      else assertEquals([code, stderr.slice(0, 13)], [65, "error: Cannot"], stderr);
      if (code === 0) Deno.removeSync(tree.at("runs"), { recursive: true });
      runs++;
      await new Promise((resolve) => setTimeout(resolve));
    }
    assertEquals([await ended, runs > 10], [true, true]);
  },
});
