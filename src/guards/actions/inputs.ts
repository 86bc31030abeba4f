import { evaluateNode, type Scope } from "./expression.ts";
import { known, textOf, UNKNOWN, type Value } from "./value.ts";
import { getYamlValue, textOfScalar, type YamlNode } from "./yaml.ts";

/** Something that declares inputs. */
export interface Callee {
  readonly kind: "workflow" | "action";
  readonly path: string;
  readonly root: YamlNode;
}

function findInputs({ kind, root }: Callee): YamlNode | null {
  if (kind === "action") return getYamlValue(root, "inputs");
  const on = getYamlValue(root, "on");
  return getYamlValue(getYamlValue(on, "workflow_call"), "inputs") ??
    getYamlValue(getYamlValue(on, "workflow_dispatch"), "inputs");
}

/**
 * The inputs of what is called: what the caller gives, and the defaults of the rest.
 *
 * @param callee What declares them
 * @param given The caller's `with`
 * @param scope What that can refer to
 */
export function readInputs(callee: Callee, given: YamlNode | null, scope: Scope): Value {
  const declared = findInputs(callee);
  const get = (name: string): Value => {
    const declaration = findIgnoringCase(declared, name);
    const own = findIgnoringCase(given, name);
    if (own !== null) return convertInput(callee, declaration, evaluateNode(own, scope));
    return readDefault(callee, declaration) ?? convertInput(callee, declaration, known(null));
  };
  return { kind: "context", get };
}

function readDefault(callee: Callee, declaration: YamlNode | null): Value | null {
  const fallback = getYamlValue(declaration, "default");
  if (fallback === null) return null;
  const outside: Scope = { path: callee.path, contexts: new Map() };
  return convertInput(callee, declaration, evaluateNode(fallback, outside));
}

/**
 * The inputs of a workflow or an action that nobody in the repository calls: their defaults.
 *
 * @param path Its path
 * @param root Its content
 */
export function readDefaultInputs(path: string, root: YamlNode): Value {
  const kind = getYamlValue(root, "runs") === null ? "workflow" : "action";
  const declared = findInputs({ kind, path, root });
  const get = (name: string): Value =>
    readDefault({ kind, path, root }, findIgnoringCase(declared, name)) ?? UNKNOWN;
  return { kind: "context", get };
}

function findIgnoringCase(node: YamlNode | null, name: string): YamlNode | null {
  if (node?.kind !== "map") return null;
  const key = name.toLowerCase();
  return node.entries.find((entry) => entry.key.toLowerCase() === key)?.value ?? null;
}

/** An action's inputs are texts; a workflow's are of the type that it declares. */
function convertInput({ kind }: Callee, declaration: YamlNode | null, value: Value): Value {
  const text = textOf(value);
  if (value.kind !== "known" || text === null) return value;
  const type = getYamlValue(declaration, "type");
  const name = kind === "action" || type?.kind !== "scalar" ? "string" : textOfScalar(type);
  if (name === "boolean") return { ...value, value: text.toLowerCase() === "true" };
  if (name === "number") return { ...value, value: Number(text) };
  return { ...value, value: text };
}
