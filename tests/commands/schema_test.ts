import Ajv2020 from "ajv/2020";
import { DOCUMENT_NAMES } from "../../mod.ts";
import { KprovError } from "../../src/base/error.ts";
import { renderJsonSchema, SCHEMA_NAMES } from "../../src/commands/schema.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { fromFileUrl, testdata } from "../paths.ts";
import { listNames } from "../temporary_tree.ts";

const SCHEMAS = fromFileUrl(new URL("../../docs/schemas", import.meta.url));

Deno.test("docs/schemas holds exactly what kprov schema prints", () => {
  assertEquals(listNames(SCHEMAS), SCHEMA_NAMES.map((name) => `${name}.v1.json`));
  for (const name of SCHEMA_NAMES) {
    assertEquals(Deno.readTextFileSync(`${SCHEMAS}/${name}.v1.json`), renderJsonSchema(name));
  }
});

Deno.test("a schema that there is none of is refused, inherited names included", () => {
  for (const name of ["nothing", "toString", "__proto__"]) {
    assertEquals(assertThrows(() => renderJsonSchema(name), KprovError).code, "usage");
  }
});

/** Every object in a schema, at any depth. */
function listObjects(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.values(value).flatMap(listObjects);
  return "type" in value && value.type === "object" ? [{ ...value }, ...inner] : inner;
}

/** The records of the policy whose keys are the user's. */
const OPEN_RECORDS = 1;

Deno.test("every object of every schema is closed, but for the records with keys of one's own", () => {
  const open = SCHEMA_NAMES.flatMap((name) => {
    const schema = JSON.parse(renderJsonSchema(name));
    assertEquals(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
    return listObjects(schema).filter((object) => object["additionalProperties"] !== false);
  });
  assertEquals(open.length, OPEN_RECORDS);
});

// ajv comes with types that describe its CommonJS form; it is used through this one shape.
interface Validator {
  compile(schema: unknown): (value: unknown) => boolean;
}

function compile(name: string): (value: unknown) => boolean {
  const ajv: Validator = new (Ajv2020 as unknown as new (options: object) => Validator)({
    strict: true,
  });
  return ajv.compile(JSON.parse(renderJsonSchema(name)));
}

for (const document of DOCUMENT_NAMES) {
  const name = document.replace(/\.json$/, "");

  Deno.test(`an independent validator accepts a real ${document} by its schema`, () => {
    const isValid = compile(name);
    for (const run of listNames(testdata("golden"))) {
      const text = Deno.readTextFileSync(testdata(`golden/${run}/${document}`));
      assert(isValid(JSON.parse(text)), run);
    }
  });

  Deno.test(`an independent validator refuses a ${document} with a key more, less or of another type`, () => {
    const isValid = compile(name);
    const text = Deno.readTextFileSync(testdata(`golden/files/${document}`));
    const value = JSON.parse(text);
    assert(!isValid({ ...value, extra: 1 }));
    for (const key of Object.keys(value)) {
      const { [key]: _, ...rest } = value;
      assert(!isValid(rest), key);
      assert(!isValid({ ...value, [key]: 7.5 }), key);
    }
  });
}

const POLICIES: readonly (readonly [string, unknown, boolean])[] = [
  ["the smallest", { schema: "kprovengine.policy.v1" }, true],
  ["a whole", {
    schema: "kprovengine.policy.v1",
    identity: {
      technical_name: "a",
      surfaces: [{ path: "a", pointer: "/name", equals: "b" }, { path: "a", contains: "b" }],
      docker_labels: { "org.opencontainers.image.title": "a" },
    },
    artifacts: { deny: ["runs/**"] },
    runtime: { deno: ">=2" },
    lock: { path: "l", version_from: { path: "deno.json", pointer: "/version" }, governs: ["a"] },
  }, true],
  ["an unknown section", { schema: "kprovengine.policy.v1", extra: {} }, false],
  ["a surface of neither kind", {
    schema: "kprovengine.policy.v1",
    identity: { surfaces: [{ path: "a" }] },
  }, false],
];

for (const [what, policy, expected] of POLICIES) {
  Deno.test(`an independent validator ${expected ? "accepts" : "refuses"} ${what} policy`, () => {
    assertEquals(compile("policy")(policy), expected);
  });
}
