import { Buffer } from "node:buffer";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { assertEquals, assertThrows } from "./assert.ts";
import { runKprov } from "./run_kprov.ts";
import {
  bundleFromJSON,
  bundleToJSON,
  DSSEBundleBuilder,
  type Signer,
  toSignedEntity,
  Verifier,
} from "./sigstore.ts";
import { makeTree } from "./temporary_tree.ts";

/** Of an in-toto statement in an envelope (https://github.com/secure-systems-lab/dsse). */
const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** For other kinds of keys, the verifier leaves the digest to a default that Deno does not have. */
const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const LOCAL_KEY: Signer = {
  sign: (data) =>
    Promise.resolve({
      signature: sign(null, data, privateKey),
      key: { $case: "publicKey", publicKey, hint: "local" },
    }),
};

/** Trusts the one key, and asks for no log and no timestamp, as there is none without a network. */
const VERIFIER = new Verifier({
  certificateAuthorities: [],
  timestampAuthorities: [],
  tlogs: [],
  ctlogs: [],
  publicKey: () => ({ publicKey: createPublicKey(publicKey), validFor: () => true }),
}, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });

/** Runs of every kind. */
const RUNS: readonly (readonly [what: string, commands: readonly (readonly string[])[]])[] = [
  ["a plain run", [["data"]]],
  ["a run of a command", [["data", "--products", "out", "--", "sh", "-c", "echo a > out"]]],
  ["a run of a command that failed", [[
    ...["data", "--products", "out", "--", "sh", "-c", "echo a > out; kill -9 $$"],
  ]]],
  ["a merged run", [
    ["data", "--shard", "1/2", "--out", "shards"],
    ["data", "--shard", "2/2", "--out", "shards"],
    ["merge", "shards"],
  ]],
];

for (const [what, commands] of RUNS) {
  Deno.test(`sigstore signs the statement of ${what} as it is, and verifies it`, async () => {
    using tree = makeTree({ "data/a.csv": "a", "data/ü.csv": "b" });
    for (const args of commands) {
      const { stderr } = await runKprov([...args.slice(0, 1), "--quiet", ...args.slice(1)], {
        cwd: tree.path,
        permissions: ["-A"],
      });
      assertEquals(stderr, "");
    }
    const [run] = [...Deno.readDirSync(tree.at("runs"))];
    const statement = Buffer.from(
      Deno.readFileSync(tree.at(`runs/${run?.name}/provenance.json`)),
    );
    const builder = new DSSEBundleBuilder({ signer: LOCAL_KEY, witnesses: [] });
    const bundle = bundleToJSON(await builder.create({ data: statement, type: PAYLOAD_TYPE }));

    const kept = bundleFromJSON(JSON.parse(JSON.stringify(bundle)));
    VERIFIER.verify(toSignedEntity(kept));
    const envelope = bundle.dsseEnvelope;
    assertEquals(envelope?.payloadType, PAYLOAD_TYPE);
    assertEquals(Buffer.from(envelope?.payload ?? "", "base64"), statement);

    const payload = statement.toString().replace(`"data`, `"date`);
    const forged = bundleFromJSON({
      ...bundle,
      dsseEnvelope: { ...envelope, payload: Buffer.from(payload).toString("base64") },
    });
    assertThrows(() => VERIFIER.verify(toSignedEntity(forged)), Error, "signature");
  });
}
