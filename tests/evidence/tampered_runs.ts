import {
  buildEvidence,
  buildRunDocuments,
  DOCUMENT_NAMES,
  type DocumentName,
  type RunFacts,
  sha256Hex,
} from "../../mod.ts";
import { describeCommandEnd } from "../../src/evidence/command.ts";
import { RUN_ID } from "../make_run.ts";
import {
  digestOf,
  SAMPLE_CIRCUMSTANCES,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
  SAMPLE_FAILED_FACTS,
} from "../sample_facts.ts";

/** A run with which somebody did something. */
interface TamperedRun {
  /** What was done. */
  readonly name: string;
  /** The run directory. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The codes of everything that is wrong, sorted. */
  readonly codes: readonly string[];
}

const INPUTS = ["README.md", "data"];

const RUNS: Readonly<Record<"files" | "command" | "failed" | "empty", RunFacts>> = {
  files: { ...SAMPLE_FACTS, inputs: INPUTS },
  command: { ...SAMPLE_COMMAND_FACTS, inputs: INPUTS },
  failed: { ...SAMPLE_FAILED_FACTS, inputs: INPUTS },
  empty: { ...SAMPLE_FACTS, inputs: INPUTS, materials: [], shard: { count: 9, index: 1 } },
};

type Texts = Record<DocumentName, string>;

/** Changes the text of one document. */
type Edit = (text: string) => string;

/** A text for another one, which must be there. */
function put(before: string, after: string): Edit {
  return (text) => {
    if (!text.includes(before)) throw new Error(`there is no ${before}`);
    return text.replace(before, () => after);
  };
}

function putAll(before: string, after: string): Edit {
  return (text) => text.replaceAll(before, () => after);
}

function join(...edits: readonly Edit[]): Edit {
  return (text) => edits.reduce((all, edit) => edit(all), text);
}

const DECIDED = join(
  put('"reviewed_at": null', '"reviewed_at": "2026-02-15T20:13:00Z"'),
  put('"reviewer": null', '"reviewer": "Ada"'),
  put('"status": "PENDING"', '"status": "APPROVED"'),
);

const FAILED = describeCommandEnd({ exitCode: 3, signal: null }).content;
const SUCCEEDED = describeCommandEnd({ exitCode: 0, signal: null }).content;
const UNSEEN = describeCommandEnd({ exitCode: null, signal: null }).content;

/** The subject of the files' run, as it is indented there. */
const SUBJECT = /\n {2}"subject": \[[\s\S]*\n {2}\]/;

/** Edits of one document; nothing else is made anew. */
const EDITS: readonly (readonly [
  name: string,
  run: keyof typeof RUNS,
  document: DocumentName,
  edit: Edit,
  codes: readonly string[],
])[] = [
  ["an input's digest edited", "files", "provenance.json", put(digestOf("a"), digestOf("0")), [
    "review.foreign",
    "subject.mismatch",
    "summary.mismatch",
  ]],
  ["a byte order mark", "files", "provenance.json", (text) => `\uFEFF${text}`, [
    "document.malformed",
  ]],
  ["CRLF", "files", "provenance.json", putAll("\n", "\r\n"), [
    "document.not_canonical",
    "review.foreign",
    "summary.mismatch",
  ]],
  ["another indentation", "files", "provenance.json", putAll("  ", "    "), [
    "document.not_canonical",
    "review.foreign",
    "summary.mismatch",
  ]],
  [
    "a review of another run",
    "files",
    "human_review.json",
    (text) => DECIDED(text.replace(/[0-9a-f]{64}/, digestOf("0"))),
    ["review.foreign"],
  ],
  [
    "a NUL character in an argument",
    "command",
    "provenance.json",
    (text) => text.replace(/("argv": \[\n *"[^"]+)/, "$1\\u0000"),
    ["document.schema"],
  ],
  [
    "a program without a name",
    "command",
    "provenance.json",
    (text) => text.replace(/("argv": \[\n *")[^"]+/, "$1"),
    ["document.schema"],
  ],
  [
    "a tool with an absolute path",
    "command",
    "toolchain.json",
    (text) => text.replace(/("tools": \[\n *\{\n *"name": ")/, "$1/"),
    ["document.schema"],
  ],
  ["a decision of nobody", "files", "human_review.json", put("PENDING", "APPROVED"), [
    "document.schema",
  ]],
  [
    "a decision before the run",
    "files",
    "human_review.json",
    join(
      DECIDED,
      put('"2026-02-15T20:13:00Z"', '"2026-02-15T20:12:59Z"'),
    ),
    ["review.misdated"],
  ],
  [
    "a decision before the one before it",
    "files",
    "human_review.json",
    join(
      DECIDED,
      put(
        '"history": []',
        `"history": [
    {
      "meaning": null,
      "note": null,
      "reviewed_at": "2026-02-15T20:13:01Z",
      "reviewer": "Grace",
      "status": "REJECTED"
    }
  ]`,
      ),
    ),
    ["review.misdated"],
  ],
  [
    "a meaning without a decision",
    "files",
    "human_review.json",
    put(
      '"meaning": null',
      '"meaning": "approved"',
    ),
    ["document.schema"],
  ],
  [
    "a key twice",
    "files",
    "human_review.json",
    put(
      '"PENDING"',
      '"PENDING",\n  "status": "APPROVED"',
    ),
    ["document.malformed"],
  ],
  ["a key __proto__", "files", "human_review.json", put("{\n", '{\n  "__proto__": {},\n'), [
    "document.malformed",
  ]],
  [
    "control characters in a review",
    "files",
    "human_review.json",
    join(
      DECIDED,
      put('"Ada"', '"Ada\\u001b[2J"'),
    ),
    ["document.schema"],
  ],
  [
    "a key that only looks like __proto__",
    "files",
    "human_review.json",
    join(DECIDED, put('"Ada"', '"__proto__"')),
    [],
  ],
  ["a size of -0", "files", "provenance.json", put('"size": 0', '"size": -0'), [
    "document.not_canonical",
    "review.foreign",
    "summary.mismatch",
  ]],
  [
    "white space in an empty list",
    "empty",
    "provenance.json",
    put('"resolvedDependencies": []', '"resolvedDependencies": [ ]'),
    [
      "document.not_canonical",
      "review.foreign",
      "summary.mismatch",
    ],
  ],
  [
    "a comma behind the last input",
    "files",
    "provenance.json",
    (text) => text.replace(/(?<="resolvedDependencies": \[[^\]]*\})\n *\]/, ",]"),
    [
      "document.malformed",
    ],
  ],
  [
    "a comma before the first input",
    "files",
    "provenance.json",
    put('"resolvedDependencies": [', '"resolvedDependencies": [,'),
    ["document.malformed"],
  ],
  ["no newline at the end", "files", "human_review.json", (text) => text.trimEnd(), [
    "document.not_canonical",
  ]],
  ["a review that stood before it", "files", "run_summary.json", put("PENDING", "APPROVED"), [
    "summary.mismatch",
  ]],
  [
    "an exit code without a command",
    "files",
    "run_summary.json",
    put(
      '"exit_code": 0',
      '"exit_code": 1',
    ),
    ["summary.mismatch"],
  ],
  [
    "an outcome without a command",
    "files",
    "run_summary.json",
    put(
      '"outcome": "completed"',
      '"outcome": "not_observed"',
    ),
    ["summary.mismatch"],
  ],
  [
    "a failure called completed",
    "failed",
    "run_summary.json",
    join(
      put('"exit_code": 3', '"exit_code": 0'),
      put('"command_failed"', '"completed"'),
    ),
    ["summary.mismatch"],
  ],
  [
    "a failure with another exit code",
    "failed",
    "run_summary.json",
    put(
      '"exit_code": 3',
      '"exit_code": 4',
    ),
    ["summary.mismatch"],
  ],
  [
    "a success called not observed",
    "command",
    "run_summary.json",
    join(
      put('"exit_code": 0', '"exit_code": null'),
      put('"completed"', '"not_observed"'),
    ),
    ["summary.mismatch"],
  ],
  [
    "invented products",
    "files",
    "run_summary.json",
    put(
      '"bytes": 0,\n    "count": 0',
      '"bytes": 1,\n    "count": 1',
    ),
    ["summary.mismatch"],
  ],
  ["wrong bytes of products", "command", "run_summary.json", put('"bytes": 18', '"bytes": 19'), [
    "summary.mismatch",
  ]],
  ["wrong bytes of inputs", "files", "run_summary.json", put('"bytes": 5139', '"bytes": 5140'), [
    "summary.mismatch",
  ]],
  ["a wrong count of inputs", "files", "run_summary.json", put('"count": 4', '"count": 3'), [
    "summary.mismatch",
  ]],
  [
    "keys out of order",
    "files",
    "run_summary.json",
    (text) =>
      text.replace(/\n {2}"schema": .*,/, "").replace(
        "{\n",
        '{\n  "schema": "kprovengine.run_summary.v1",\n',
      ),
    ["document.not_canonical"],
  ],
  ["a lone surrogate", "files", "run_summary.json", put("https://example.org/a/b", "\\ud800"), [
    "document.malformed",
  ]],
  [
    "nesting without an end",
    "files",
    "run_summary.json",
    () => `${"[".repeat(100)}${"]".repeat(100)}\n`,
    ["document.malformed"],
  ],
  ["another run id", "files", "run_summary.json", put(RUN_ID, `${RUN_ID}-2`), [
    "summary.mismatch",
  ]],
  ["another time", "files", "run_summary.json", put("20:13:00Z", "20:12:59Z"), [
    "summary.mismatch",
  ]],
  ["a time that is none", "files", "run_summary.json", put("02-15T20:13", "02-30T20:13"), [
    "document.schema",
  ]],
  [
    "output without a command",
    "files",
    "run_summary.json",
    put(
      '"command_output": null',
      `"command_output": {\n    "stderr": "${digestOf("0")}",\n    "stdout": "${
        digestOf("0")
      }"\n  }`,
    ),
    ["summary.mismatch"],
  ],
  [
    "something that watched no command",
    "files",
    "run_summary.json",
    put(
      '"observation": null',
      '"observation": {\n    "by": "strace",\n    "complete": true\n  }',
    ),
    ["summary.mismatch"],
  ],
  [
    "a runtime that is not satisfied",
    "files",
    "run_summary.json",
    put(
      '"satisfied": true',
      '"satisfied": false',
    ),
    ["summary.mismatch"],
  ],
  [
    "a range for another Deno",
    "files",
    "run_summary.json",
    put(
      '"version": "2.9.6"',
      '"version": "2.9.5"',
    ),
    ["summary.mismatch"],
  ],
  [
    "no range for Deno",
    "files",
    "run_summary.json",
    (text) => text.replace(/"runtime_policy": \[[\s\S]*?\n {2}\]/, '"runtime_policy": []'),
    [
      "summary.mismatch",
    ],
  ],
  ["another toolchain", "files", "toolchain.json", put("15.0.245.2-rusty", "1.0"), [
    "evidence.toolchain_mismatch",
    "summary.mismatch",
  ]],
  ["a truncated toolchain", "files", "toolchain.json", (text) => text.slice(0, 100), [
    "document.malformed",
  ]],
];

/** Edits after which every digest that names a changed document is made anew. */
const REBOUND: typeof EDITS = [
  ["an absolute name", "files", "provenance.json", putAll("README.md", "/etc/passwd"), [
    "document.schema",
  ]],
  [
    "a name with a backslash",
    "files",
    "provenance.json",
    put(
      '"name": "README.md"',
      '"name": "..\\\\secret"',
    ),
    ["document.schema"],
  ],
  [
    "a name with a NUL",
    "files",
    "provenance.json",
    put(
      '"name": "README.md"',
      '"name": "a\\u0000b"',
    ),
    ["document.schema"],
  ],
  [
    "a name that leads out",
    "files",
    "provenance.json",
    put(
      '"name": "README.md"',
      '"name": "data/../../secret"',
    ),
    ["document.schema"],
  ],
  ["a digest of another length", "files", "provenance.json", put(digestOf("a"), "abc"), [
    "document.schema",
  ]],
  [
    "an unknown key",
    "files",
    "provenance.json",
    put(
      '"metadata": {}',
      '"metadata": {\n        "invocationId": "1"\n      }',
    ),
    ["document.schema"],
  ],
  [
    "no metadata",
    "files",
    "provenance.json",
    (text) => text.replace(/,\n {6}"metadata": \{\}/, ""),
    ["document.old_form"],
  ],
  [
    "an input twice",
    "files",
    "provenance.json",
    put(
      '"name": "data/\uFF5E.csv"',
      '"name": "README.md"',
    ),
    ["names.unsorted", "subject.mismatch"],
  ],
  [
    "a file outside of the inputs",
    "files",
    "provenance.json",
    put(
      '"name": "data/\u{1F600}.csv"',
      '"name": "z.csv"',
    ),
    ["names.uncovered", "subject.mismatch"],
  ],
  [
    "a file below a file",
    "files",
    "provenance.json",
    put('"name": "data/\u{1F600}.csv"', '"name": "data/\uFF5E.csv/b"'),
    ["names.below_file", "subject.mismatch"],
  ],
  [
    "an exclusion that cannot be used",
    "files",
    "provenance.json",
    put('".git"', '".git[["'),
    ["exclude.malformed"],
  ],
  [
    "an input without a file",
    "files",
    "provenance.json",
    put(
      '"data"',
      '"data",\n          "other"',
    ),
    ["names.uncovered"],
  ],
  [
    "another digest of the inputs",
    "files",
    "provenance.json",
    (text) => text.replace(SUBJECT, (part) => part.replace(/[0-9a-f]{64}/, digestOf("0"))),
    [
      "subject.mismatch",
    ],
  ],
  [
    "a dirHash of inputs with a link",
    "files",
    "provenance.json",
    (text) =>
      text.replace(
        SUBJECT,
        (part) =>
          part.replace('"digest": {', `"digest": {\n        "dirHash": "${digestOf("0")}",`),
      ),
    [
      "subject.mismatch",
    ],
  ],
  [
    "an input attested as made",
    "files",
    "provenance.json",
    (text) => text.replace(SUBJECT, () => subjectOf("README.md", digestOf("a"))),
    ["subject.mismatch"],
  ],
  [
    "a subject that is nothing known",
    "files",
    "provenance.json",
    (text) => text.replace(SUBJECT, (part) => part.replace('"inputs"', '"README.md"')),
    [
      "document.schema",
    ],
  ],
  ["products with the inputs as one of them", "command", "provenance.json", addInputs, [
    "subject.mismatch",
  ]],
  ["the inputs as one, twice", "files", "provenance.json", addInputs, [
    "names.duplicate",
    "subject.mismatch",
  ]],
  ["a failure called a success", "failed", "provenance.json", put(FAILED, SUCCEEDED), [
    "subject.mismatch",
    "summary.mismatch",
  ]],
  ["a success called a failure", "command", "provenance.json", put(SUCCEEDED, FAILED), [
    "subject.mismatch",
    "summary.mismatch",
  ]],
  ["a command that nobody saw end", "command", "provenance.json", put(SUCCEEDED, UNSEEN), [
    "summary.mismatch",
  ]],
  [
    "an end in another form",
    "command",
    "provenance.json",
    put(
      SUCCEEDED,
      btoa('{"exit_code":0,"signal":null}'),
    ),
    ["document.schema"],
  ],
  [
    "a signal without its exit code",
    "failed",
    "provenance.json",
    put(
      FAILED,
      describeCommandEnd({ exitCode: 3, signal: "SIGTERM" }).content,
    ),
    ["document.schema"],
  ],
  [
    "a link called a file",
    "command",
    "provenance.json",
    put(
      '"kind": "symlink",\n        "size": 9',
      '"kind": "pipe",\n        "size": 9',
    ),
    ["document.schema"],
  ],
  [
    "a product of another size",
    "command",
    "provenance.json",
    put(
      '"kind": "symlink",\n        "size": 9',
      '"kind": "symlink",\n        "size": 10',
    ),
    ["summary.mismatch"],
  ],
  [
    "a product that was not asked for",
    "command",
    "provenance.json",
    put(
      '"out/latest"',
      '"out2/latest"',
    ),
    ["names.uncovered"],
  ],
  [
    "what a failure left, not sorted",
    "failed",
    "provenance.json",
    put(
      '"out/latest"',
      '"out/a"',
    ),
    ["names.unsorted"],
  ],
  [
    "no end of a command",
    "command",
    "provenance.json",
    (text) => text.replace(/\n {6}"byproducts": \[[\s\S]*?\n {6}\],/, ""),
    ["document.schema"],
  ],
  ["another kprov", "files", "toolchain.json", put('"kprov": "1.0.0"', '"kprov": "9.0.0"'), [
    "evidence.toolchain_mismatch",
  ]],
  ["a Deno out of range", "files", "toolchain.json", put('"deno": "2.9.6"', '"deno": "1.0.0"'), [
    "summary.mismatch",
  ]],
  [
    "an unknown key of the toolchain",
    "files",
    "toolchain.json",
    put(
      '  "kprov"',
      '  "extra": 1,\n  "kprov"',
    ),
    ["document.schema"],
  ],
  [
    "packages that are left out and there",
    "command",
    "toolchain.json",
    put(
      '"packages": null',
      '"packages": []',
    ),
    ["document.schema"],
  ],
  ["packages out of order", "command", "toolchain.json", put('"left-pad"', '"zz"'), [
    "names.unsorted",
  ]],
  [
    "a package from a path of the machine",
    "command",
    "toolchain.json",
    put(
      "https://example.org/mylib",
      "file:///home/ada/mylib",
    ),
    ["document.schema"],
  ],
];

function subjectOf(name: string, sha256: string): string {
  return `
  "subject": [
    {
      "annotations": {
        "kind": "file",
        "size": 5120
      },
      "digest": {
        "sha256": "${sha256}"
      },
      "name": "${name}"
    }
  ]`;
}

/** Puts the inputs as one artifact before what else is the subject. */
function addInputs(text: string): string {
  const [own = ""] = SUBJECT.exec(build("files")["provenance.json"]) ?? [];
  return put('\n  "subject": [', own.replace(/\n {2}\]$/, ","))(text);
}

function build(run: keyof typeof RUNS): Texts {
  return { ...buildRunDocuments(buildEvidence(RUNS[run]), SAMPLE_CIRCUMSTANCES, RUN_ID) };
}

/** Makes every digest anew that names a changed document. */
function rebind(texts: Texts, before: Texts): Texts {
  const bind = (name: DocumentName, text: string): string =>
    text.replaceAll(sha256Hex(before[name]), sha256Hex(texts[name]));
  texts["provenance.json"] = bind("toolchain.json", texts["provenance.json"]);
  texts["human_review.json"] = bind("provenance.json", texts["human_review.json"]);
  texts["run_summary.json"] = bind(
    "provenance.json",
    bind("toolchain.json", texts["run_summary.json"]),
  );
  return texts;
}

function encode(texts: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  return new Map(
    Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]),
  );
}

function tamper([name, run, document, edit, codes]: typeof EDITS[number], isBound: boolean) {
  const before = build(run);
  const after = { ...before, [document]: edit(before[document]) };
  if (after[document] === before[document]) throw new Error(`${name}: nothing changed`);
  return { name, files: encode(isBound ? rebind(after, before) : after), codes };
}

function makeOthers(): TamperedRun[] {
  const whole = encode(build("files"));
  const without = new Map(whole);
  without.delete("toolchain.json");
  const bytes = Uint8Array.from(whole.get("provenance.json") ?? []);
  bytes[20] = 0xff;
  const decided = { ...build("command") };
  const other = build("failed");
  decided["human_review.json"] = DECIDED(other["human_review.json"]);
  return [
    { name: "nothing", files: whole, codes: [] },
    { name: "no toolchain", files: without, codes: ["document.missing"] },
    {
      name: "one file more",
      files: new Map([...whole, ["notes.txt", new Uint8Array()]]),
      codes: ["document.unexpected"],
    },
    {
      name: "bytes that are not UTF-8",
      files: new Map([...whole, ["provenance.json", bytes]]),
      codes: ["document.malformed"],
    },
    {
      name: "the decision about a failure moved to a success",
      files: encode(decided),
      codes: ["review.foreign"],
    },
    {
      name: "the evidence of a failure in the place of a success",
      files: encode({ ...build("command"), "provenance.json": other["provenance.json"] }),
      codes: ["review.foreign", "summary.mismatch"],
    },
  ];
}

/** Everything that somebody may do to a run, one thing at a time. */
export const TAMPERED: readonly TamperedRun[] = [
  ...makeOthers(),
  ...EDITS.map((edit) => tamper(edit, false)),
  ...REBOUND.map((edit) => tamper(edit, true)),
];

/** The documents among the names of a run. */
export function isDocument(name: string): name is DocumentName {
  return DOCUMENT_NAMES.some((document) => document === name);
}
