import { DOCUMENT_NAMES, type DocumentName, readRun } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { RUN_ID } from "../make_run.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { assertVerdict, callKprov } from "./call_kprov.ts";
import {
  forgeRun,
  type Forgery,
  GENUINE,
  type Json,
  listPlaces,
  type Place,
} from "./forged_run.ts";
import { RUN_READERS } from "./run_readers.ts";

type Kind = keyof typeof GENUINE;

const KINDS: readonly Kind[] = ["command", "shard"];

/** A place that no document has. */
const UNTOUCHED: Place = ["no such place"];

interface ForgedPlace {
  readonly kind: Kind;
  readonly name: DocumentName;
  readonly place: Place;
  readonly value: Json;
}

const PLACES: readonly ForgedPlace[] = KINDS.flatMap((kind) =>
  DOCUMENT_NAMES.flatMap((name) =>
    [...listPlaces(GENUINE[kind][name])].map(([place, value]) => ({ kind, name, place, value }))
  )
);

/** Writes a run, and calls every command that reads runs. */
async function callReaders(
  tree: TemporaryTree,
  files: ReadonlyMap<string, Uint8Array>,
  what: string,
): Promise<void> {
  for (const { name, args } of RUN_READERS) {
    const run = tree.at(`hostile/${RUN_ID}`);
    writeRun(run, files);
    Deno.mkdirSync(tree.at("out"), { recursive: true });
    const places = {
      run,
      genuine: tree.at(`genuine/${RUN_ID}`),
      root: tree.at("root"),
      out: tree.at("out"),
    };
    assertVerdict(await callKprov(args(places)), `kprov ${name}: ${what}`);
  }
}

function writeRun(path: string, files: ReadonlyMap<string, Uint8Array>): void {
  Deno.mkdirSync(path, { recursive: true });
  for (const [name, bytes] of files) Deno.writeFileSync(`${path}/${name}`, bytes);
}

function makeHostileTree(): TemporaryTree {
  const tree = makeTree({ "root/README.md": "", "root/data/a.csv": "" });
  writeRun(
    tree.at(`genuine/${RUN_ID}`),
    forgeRun(GENUINE.command, "toolchain.json", UNTOUCHED, "nothing"),
  );
  return tree;
}

/**
 * Of the forgeries that verify, every how manieth all commands are called for; prime, so that each
 * place has its turn.
 */
const VERIFYING_TURN = 11;

/** Of the others, which every command refuses in one place. */
const REFUSED_TURN = 199;

/** Puts each forgery in each place, reads the run, and calls the commands for some of them. */
async function forgeEverywhere(
  listForgeries: (place: ForgedPlace) => readonly Forgery[],
): Promise<number> {
  using tree = makeHostileTree();
  let count = 0;
  for (const forged of PLACES) {
    for (const forgery of listForgeries(forged)) {
      const { kind, name, place } = forged;
      const what = `${kind}: ${name}: /${place.join("/")}: ${show(forgery)}`;
      const files = forgeRun(GENUINE[kind], name, place, forgery);
      const { run, findings } = readRun({ name: RUN_ID, files });
      assert(run !== null || findings.length > 0, what);
      count++;
      const turn = findings.length === 0 ? VERIFYING_TURN : REFUSED_TURN;
      if (count % turn === 0) await callReaders(tree, files, what);
    }
  }
  return count;
}

function show(forgery: Forgery): string {
  return JSON.stringify(forgery).slice(0, 80);
}

Deno.test("the runs that are forged verify before", async () => {
  using tree = makeHostileTree();
  for (const kind of KINDS) {
    const files = forgeRun(GENUINE[kind], "toolchain.json", UNTOUCHED, "nothing");
    assertEquals(readRun({ name: RUN_ID, files }).findings, []);
    await callReaders(tree, files, kind);
  }
});

const EVERY_TYPE: readonly Json[] = [
  null,
  true,
  0,
  -1.5,
  "",
  "text",
  [],
  [null],
  {},
  { a: 1 },
];

Deno.test("no field of the evidence brings a command down, whatever type of JSON stands in it", async () => {
  const count = await forgeEverywhere(({ value }) => [
    "nothing",
    ...EVERY_TYPE.map((other) => ({ value: other })),
    { value: [value, value] },
    { value: { a: value } },
  ]);
  assert(count > 2000, `${count}`);
});

/** Numbers as text, since not each is one that a renderer would write. */
const EDGES: readonly string[] = [
  "-0",
  "-1",
  "1.5",
  "1e3",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "1e308",
  "1e400",
  "-1e400",
  "0.1e-400",
  "9".repeat(400),
  "0".repeat(3),
  "NaN",
];

Deno.test("no number of the evidence brings a command down at its edges", async () => {
  const count = await forgeEverywhere(({ value }) =>
    typeof value === "number" ? EDGES.map((text) => ({ text })) : []
  );
  assert(count > 200, `${count}`);
});

const HOSTILE_TEXTS: readonly string[] = [
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "data/../../secret",
  "a//b",
  "./a",
  ".git/config",
  "C:\\secret",
  "\0",
  "\n\u001b[2J\u202e##[error]::error::",
  "__proto__",
  "constructor",
  "<script>alert(1)</script>",
  "{a,b}",
  "[z-a]",
  "**",
  "<=*",
  "$(id)",
  "-rf",
  "\u{1F600}\uFEFF",
  "a".repeat(255),
  "a/".repeat(2047) + "a",
  "%2e%2e%2f",
  "2026-99-99T99:99:99Z",
  "99999999-12-31T00:00:00Z",
];

Deno.test("no text of the evidence brings a command down, whatever it says or where it leads", async () => {
  const count = await forgeEverywhere(({ value }) =>
    typeof value === "string" ? HOSTILE_TEXTS.map((text) => ({ value: text })) : []
  );
  assert(count > 1000, `${count}`);
});

/** Long enough that work by the square of it would not end while somebody waits. */
const LONG = 400_000;

Deno.test("no text of the evidence takes longer than it is long", async () => {
  const long = [" ", "a", "1", "/", "*a", "../", "\n", "|", "-", "9.", "{", "\u202e"];
  const texts = long.map((part) => ({ value: part.repeat(LONG / part.length) }));
  let turn = 0;
  const count = await forgeEverywhere(({ value }) => {
    // Each place gets some, and each text stands in many places.
    turn += 3;
    return typeof value === "string"
      ? [0, 1, 2].flatMap((i) => texts[(turn + i) % texts.length] ?? [])
      : [];
  });
  assert(count > 100, `${count}`);
});
