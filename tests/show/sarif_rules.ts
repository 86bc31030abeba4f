/**
 * The rules of SARIF 2.1.0 for every part of it that kprov writes, as a JSON Schema of our own:
 * which properties are known and required, their types, formats, values and bounds (the
 * standard's section 3 and its published schema). What the standard knows and kprov does not
 * write is left out, so that nothing unknown passes. The one npm package that ships the published
 * schema would bring twenty others into the lockfile that every run records.
 *
 * @module
 */

import Ajv2020 from "ajv/2020";

type Schema = Readonly<Record<string, unknown>>;

const STRING: Schema = { type: "string" };
const POSITIVE: Schema = { type: "integer", minimum: 1 };
const LEVEL: Schema = { enum: ["none", "note", "warning", "error"] };
const TEXT: Schema = closed({ text: { type: "string", minLength: 1 } }, ["text"]);
/** A property bag is open, but for `tags`. */
const BAG: Schema = {
  type: "object",
  properties: { tags: { type: "array", uniqueItems: true, items: STRING } },
};

function closed(properties: Schema, required: readonly string[]): Schema {
  return { type: "object", additionalProperties: false, properties, required };
}

function list(items: Schema, bounds: Schema = {}): Schema {
  return { type: "array", items, ...bounds };
}

const RULE = closed({
  id: STRING,
  name: { type: "string", pattern: "^(?:[A-Z][a-z]*)+$" },
  shortDescription: TEXT,
  fullDescription: TEXT,
  help: TEXT,
  defaultConfiguration: closed({ level: LEVEL }, []),
  properties: BAG,
}, ["id"]);

const DRIVER = closed({
  name: { type: "string", minLength: 1 },
  version: STRING,
  semanticVersion: {
    type: "string",
    pattern: "^(?:0|[1-9]\\d*)(?:\\.(?:0|[1-9]\\d*)){2}(?:-[0-9A-Za-z.-]+)?$",
  },
  informationUri: { type: "string", format: "uri" },
  rules: list(RULE, { uniqueItems: true }),
}, ["name"]);

const ARTIFACT_LOCATION = closed({
  uri: { type: "string", format: "uri-reference" },
  uriBaseId: STRING,
  description: TEXT,
}, []);

// A region has a start line, or by the standard an offset, which kprov does not write; the services that
// read it ask for its end as well.
const REGION = closed({
  startLine: POSITIVE,
  startColumn: POSITIVE,
  endLine: POSITIVE,
  endColumn: POSITIVE,
}, ["startLine", "startColumn", "endLine", "endColumn"]);

const LOCATION = closed({
  physicalLocation: closed(
    { artifactLocation: ARTIFACT_LOCATION, region: REGION },
    ["artifactLocation", "region"],
  ),
}, []);

const RESULT = closed({
  ruleId: STRING,
  ruleIndex: { type: "integer", minimum: -1 },
  level: LEVEL,
  message: TEXT,
  locations: list(LOCATION),
  partialFingerprints: { type: "object", additionalProperties: STRING },
  properties: BAG,
}, ["message"]);

const RUN = closed({
  tool: closed({ driver: DRIVER }, ["driver"]),
  columnKind: { enum: ["utf16CodeUnits", "unicodeCodePoints"] },
  originalUriBaseIds: { type: "object", additionalProperties: ARTIFACT_LOCATION },
  results: list(RESULT),
  properties: BAG,
}, ["tool"]);

const LOG = closed({
  $schema: { type: "string", format: "uri" },
  version: { enum: ["2.1.0"] },
  runs: list(RUN),
}, ["version", "runs"]);

// RFC 3986, as far as a relative reference of nothing but a path needs it.
const RELATIVE_PATH =
  /^(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-F]{2})+(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})*)*$/;

const FORMATS = {
  uri: (text: string): boolean => URL.canParse(text),
  "uri-reference": (text: string): boolean => RELATIVE_PATH.test(text),
};

// ajv comes with types that describe its CommonJS form; it is used through this one shape.
interface Validate {
  (value: unknown): boolean;
  readonly errors?: readonly unknown[] | null;
}

/** A SARIF log, as far as the tests read it. */
export interface SarifLog {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly SarifRule[] } };
    readonly results: readonly SarifResult[];
    readonly properties: Readonly<Record<string, unknown>>;
  }[];
}

/** A rule of a log. */
export interface SarifRule {
  readonly id: string;
  readonly defaultConfiguration: { readonly level: string };
}

/** A result of a log. */
export interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations?: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region?: { readonly startLine: number; readonly startColumn?: number };
    };
  }[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

const Ajv = Ajv2020 as unknown as new (options: object) => { compile(schema: Schema): Validate };
const validate = new Ajv({ allErrors: true, formats: FORMATS }).compile(LOG);

/**
 * Lists what breaks the standard's rules in a log: those of its schema, and those that a schema
 * cannot say.
 *
 * @param log A parsed log
 */
export function listSarifFaults(log: unknown): unknown[] {
  if (!validate(log)) return [...validate.errors ?? []];
  return (log as SarifLog).runs.flatMap(({ tool, results }) => {
    const ids = tool.driver.rules.map(({ id }) => id);
    return [
      ...(new Set(ids).size === ids.length ? [] : ["two rules with one id"]),
      ...results.filter(({ ruleId, ruleIndex }) => ids[ruleIndex] !== ruleId)
        .map(({ ruleId }) => `ruleIndex does not lead to ${ruleId}`),
    ];
  });
}
