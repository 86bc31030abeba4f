import { type Finding, makeFinding } from "../../finding.ts";
import { escapeText, quote } from "../../quote.ts";
import type { ContentHit } from "../facts.ts";

/** What stands where a hit was found. */
export type HitPlace = "content" | "path";

/**
 * Makes the finding of a hit.
 *
 * @param hit What the content rules matched
 * @param place Whether it stands in the file or in its path, which has no line
 */
export function describeHit(hit: ContentHit, place: HitPlace): Finding {
  const { path, code } = hit;
  const where = place === "content" ? { line: hit.line, column: hit.column } : {};
  const { message, hint } = explain(hit, place === "content" ? "the content" : "the path");
  return makeFinding(code, message, { path, ...where, hint });
}

function explain(
  { code, text, token }: ContentHit,
  where: string,
): { readonly message: string; readonly hint: string } {
  switch (code) {
    case "identity.forbidden_token":
      return {
        message: `forbidden token ${quote(token)} in ${where}`,
        hint: "remove it, or allow it for this path under identity.allowances in the policy",
      };
    case "identity.display_name":
      return {
        message: `display name ${quote(token)} in ${where}, where it is not allowed`,
        hint: "use the technical name, or add the path to identity.display_name_allowed",
      };
    default:
      return {
        message: `${quote(text)} in ${where} looks like ${quote(token)} but is not`,
        hint: `its characters are ${listCharacters(text)}`,
      };
  }
}

/** The code points of a text, such as `U+043A U+0070`. */
function listCharacters(text: string): string {
  return escapeText(
    [...text].map((character) =>
      `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`
    ).join(" "),
  );
}
