import { assertEquals } from "./assert.ts";
import { installPythonTools } from "./python_tools.ts";
import { decode, runKprov } from "./run_kprov.ts";
import { makeTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

/** The release that is known to read this; a later one may read differently. */
const VALIDATOR = "in-toto-attestation==0.9.3";

/**
 * Reads statements as the in-toto project's own bindings do: no unknown field at any level of the
 * statement, of its SLSA predicate or of a descriptor, and the statement's own checks.
 */
const CHECK = `
import json, sys
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    statement = json_format.Parse(text, statement_pb2.Statement())
    Statement.copy_from_pb(statement).validate()
    predicate = json.dumps(json.loads(text)["predicate"])
    provenance = json_format.Parse(predicate, provenance_pb2.Provenance())
    definition, details = provenance.build_definition, provenance.run_details
    for descriptor in [*statement.subject, *definition.resolved_dependencies, *details.byproducts]:
        ResourceDescriptor.copy_from_pb(descriptor).validate()
        assert descriptor.digest or descriptor.content, descriptor
    ends = [json.loads(one.content) for one in details.byproducts if one.content]
    assert details.HasField("metadata"), "there is no metadata"
    print(json.dumps([[one.name for one in statement.subject], ends]))
`;

const environment = await installPythonTools(VALIDATOR);
const missing = environment === null ? `${VALIDATOR} is missing here` : null;

/** Runs of every kind, with the subject and the ends that another reader must find. */
const RUNS: readonly (readonly [
  what: string,
  commands: readonly (readonly string[])[],
  subject: readonly string[],
  ends: readonly unknown[],
])[] = [
  ["a plain run", [["data"]], ["inputs"], []],
  [
    "a run of a command",
    [["data", "--products", "out", "--quiet", "--", "sh", "-c", "echo a > out"]],
    ["out"],
    [
      { exit_code: 0, signal: null },
    ],
  ],
  [
    "a run of a command that failed",
    [[
      "data",
      "--products",
      "out",
      "--quiet",
      "--",
      "sh",
      "-c",
      "echo a > out; kill -9 $$",
    ]],
    ["inputs"],
    [{ exit_code: 137, signal: "SIGKILL" }],
  ],
  ["an empty shard", [["data", "--shard", "9/65536"]], ["inputs"], []],
  [
    "a merged run",
    [
      ["data", "--shard", "1/2", "--out", "shards"],
      ["data", "--shard", "2/2", "--out", "shards"],
      ["merge", "shards"],
    ],
    ["inputs"],
    [],
  ],
];

for (const [what, commands, subject, ends] of RUNS) {
  Deno.test(...unless(missing, `the in-toto project reads the statement of ${what}`), async () => {
    using tree = makeTree({ "data/a.csv": "a", "data/b.csv": "b" });
    Deno.symlinkSync("a.csv", tree.at("data/link"));
    for (const args of commands) {
      const { stderr } = await runKprov([...args.slice(0, 1), "--quiet", ...args.slice(1)], {
        cwd: tree.path,
        permissions: ["-A"],
      });
      assertEquals(stderr, "");
    }
    const [run] = [...Deno.readDirSync(tree.at("runs"))];
    const { stdout, stderr } = await new Deno.Command(`${environment?.bin}/python`, {
      args: ["-c", CHECK, tree.at(`runs/${run?.name}/provenance.json`)],
    }).output();
    assertEquals(decode(stderr), "");
    assertEquals(JSON.parse(decode(stdout)), [subject, ends]);
  });
}

globalThis.addEventListener("unload", () => environment?.[Symbol.dispose]());
