import type { TomlValue } from "smol-toml";
import {
  findTomlValues,
  isTomlTable,
  parseToml,
  placeOfTomlKey,
} from "../../base/located_values.ts";
import { type Claim, claimFloating, type Declaration, type RuntimeName } from "./declaration.ts";

/** A place of a TOML file that declares a runtime. */
export interface TomlField {
  readonly runtime: RuntimeName;
  /** The keys that lead to it, `*` for any. */
  readonly keys: readonly string[];
  /** Reads one version or range. */
  readonly claim: (text: string) => Claim;
}

/**
 * Reads what the fields of a TOML file declare. A value may be a text, `{version = "…"}`, or a list
 * of either.
 *
 * @param path The file's path
 * @param text Its content
 * @param fields Where it declares what
 * @throws {KprovError} `data` where it is not TOML
 */
export function readTomlFields(
  path: string,
  text: string,
  fields: readonly TomlField[],
): Declaration[] {
  const root = parseToml(text);
  return fields.flatMap(({ runtime, keys, claim }) =>
    findTomlValues(root, keys).flatMap((found) =>
      listTexts(found.value).map((version): Declaration => ({
        runtime,
        source: found.keys.join("."),
        path,
        position: placeOfTomlKey(text, found.keys),
        text: version ?? "",
        claim: version === null ? claimFloating("it is not a text") : claim(version),
      }))
    )
  );
}

/** Null stands for what is no text. */
function listTexts(value: TomlValue): (string | null)[] {
  if (Array.isArray(value)) return value.flatMap(listTexts);
  if (isTomlTable(value)) return listTexts(value["version"] ?? 0);
  return [typeof value === "string" ? value : null];
}
