import {
  agree,
  compare,
  fromOutcome,
  hasPrefix,
  known,
  listValues,
  type Outcome,
  type PlainValue,
  UNKNOWN,
  type Value,
} from "./expression_value.ts";

/**
 * Evaluates a function of GitHub's workflow language, in a run in which nothing has failed.
 *
 * @param name In lower case
 * @param given The arguments
 */
export function evaluateCall(name: string, given: readonly Value[]): Value {
  const [first = UNKNOWN, second = UNKNOWN] = given;
  switch (name) {
    case "always":
    case "success":
      return known(true);
    case "failure":
    case "cancelled":
      return known(false);
    case "contains":
      return fromOutcome(contains(first, second));
    case "startswith":
      return fromOutcome(startsWith(first, second));
    case "endswith":
      return fromOutcome(test(first, second, (text, end) => text.endsWith(end)));
    case "fromjson":
      return parseJson(first);
    default:
      return UNKNOWN;
  }
}

function contains(whole: Value, part: Value): Outcome {
  if (whole.kind === "known" && Array.isArray(whole.value)) {
    const outcomes = whole.value.map((item) => compare(known(item), part));
    if (outcomes.includes("true")) return "true";
    return outcomes.includes("unknown") ? "unknown" : "false";
  }
  return test(whole, part, (text, inner) => text.includes(inner));
}

function startsWith(whole: Value, start: Value): Outcome {
  if (whole.kind !== "prefix" || start.kind !== "known" || typeof start.value !== "string") {
    return test(whole, start, (text, part) => text.startsWith(part));
  }
  if (hasPrefix(whole.prefix, start.value)) return "true";
  return hasPrefix(start.value, whole.prefix) ? "unknown" : "false";
}

/** Applies a test to texts in lower case, since GitHub tells no cases apart. */
function test(a: Value, b: Value, matches: (a: string, b: string) => boolean): Outcome {
  const [these, those] = [listValues(a), listValues(b)];
  if (these === null || those === null) return "unknown";
  return agree(these.flatMap((x) => those.map((y) => matches(toText(x), toText(y)))));
}

function toText(value: PlainValue): string {
  return value === null ? "" : String(value).toLowerCase();
}

function parseJson(value: Value): Value {
  if (value.kind !== "known" || typeof value.value !== "string") return UNKNOWN;
  try {
    const parsed: unknown = JSON.parse(value.value);
    return isPlain(parsed) ? known(parsed) : UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

function isPlain(value: unknown): value is PlainValue {
  if (Array.isArray(value)) return value.every((item) => !Array.isArray(item) && isPlain(item));
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
