import { readCondition } from "../workflow/condition.ts";
import { type ResolvedText, resolveText, type Scope } from "../workflow/workflow_expression.ts";
import { getYamlValue, type YamlNode } from "../yaml_node.ts";
import { placeOf } from "./place.ts";
import type { ScopedCondition } from "./workflow_model.ts";

/**
 * Reads a condition of a job or step.
 *
 * @param key Which
 * @param node The job or step
 * @param scope What its expression can refer to
 * @param path The file in which it stands
 */
export function scopeCondition(
  key: "if" | "continue-on-error",
  node: YamlNode,
  scope: Scope,
  path: string,
): ScopedCondition {
  const value = getYamlValue(node, key);
  return {
    condition: readCondition(value, key === "if"),
    scope,
    place: placeOf(path, value ?? node),
    isByMatrix: value?.kind === "scalar" && /\bmatrix\b/i.test(value.source),
  };
}

/**
 * The inputs of what is called: what the caller gives, and the defaults of the rest.
 *
 * @param declared The inputs as they are declared
 * @param given The caller's `with`
 * @param scope What that can refer to
 */
export function readInputs(
  declared: YamlNode | null,
  given: YamlNode | null,
  scope: Scope,
): Map<string, ResolvedText> {
  const inputs = new Map<string, ResolvedText>();
  const outside: Scope = { matrix: { kind: "undecided" }, env: [] };
  for (const { key, value } of declared?.kind === "map" ? declared.entries : []) {
    const fallback = getYamlValue(value, "default");
    if (fallback?.kind === "scalar") inputs.set(key.toLowerCase(), resolveText(fallback, outside));
  }
  for (const { key, value } of given?.kind === "map" ? given.entries : []) {
    if (value.kind === "scalar") inputs.set(key.toLowerCase(), resolveText(value, scope));
  }
  return inputs;
}

/**
 * Resolves a setting that is a text.
 *
 * @param node The setting, or null where it is not made
 * @param scope What its expressions can refer to
 */
export function resolveNode(node: YamlNode | null, scope: Scope): ResolvedText | null {
  return node?.kind === "scalar" && node.value !== null ? resolveText(node, scope) : null;
}
