import type { Finding } from "../../finding.ts";
import { createContentScanner } from "../content/content_scanner.ts";
import type { ContentHit, TrackedEntry } from "../facts.ts";
import { describeHit } from "./identity_content.ts";
import type { IdentityPolicy } from "../policy.ts";
import { listProtectedNames } from "../content/protected_names.ts";

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

/**
 * Checks the tracked paths as contents are checked: for forbidden tokens, for the display name
 * where it may not stand, and for look-alikes. In a path, unlike in prose, an invisible character
 * beside a name is a disguise too.
 *
 * @param identity The policy's section
 * @param tracked What git tracks
 */
export function checkPaths(
  identity: IdentityPolicy,
  tracked: readonly TrackedEntry[],
): Finding[] {
  const scanner = createContentScanner({ schema: "kprovengine.policy.v1", identity });
  const names = listCaseless(listProtectedNames(identity));
  const encode = makeEncoder();
  const findings: Finding[] = [];
  for (const { path } of tracked) {
    const hits = scanner.scan(path, encode(path));
    for (const hit of hits) findings.push(describeHit(hit, "path"));
    for (const hit of findFringed(path, names)) findings.push(describeHit(hit, "path"));
  }
  return findings;
}

/** An encoder to UTF-8 whose result lasts until the next: new memory for each path is half of the time. */
function makeEncoder(): (text: string) => Uint8Array {
  const encoder = new TextEncoder();
  let buffer = new Uint8Array(4096);
  return (text) => {
    if (buffer.length < 3 * text.length) buffer = new Uint8Array(3 * text.length);
    return buffer.subarray(0, encoder.encodeInto(text, buffer).written);
  };
}

/** Of names that differ in case alone, the first. */
function listCaseless(names: readonly string[]): readonly string[] {
  return [...Map.groupBy(names, (name) => name.toLowerCase()).values()].flatMap(([name]) =>
    name ?? []
  );
}

/** Names with an invisible character before or behind them. */
function findFringed(path: string, names: readonly string[]): ContentHit[] {
  if (!INVISIBLE.test(path)) return [];
  const folded = foldCase(path);
  return names.flatMap((name) => {
    const hits: ContentHit[] = [];
    const wanted = foldCase(name);
    let start = folded.indexOf(wanted);
    for (; start !== -1; start = folded.indexOf(wanted, start + name.length)) {
      const text = path.slice(Math.max(0, start - 1), start + name.length + 1);
      if (!INVISIBLE.test(text)) continue;
      hits.push({
        path,
        code: "identity.lookalike",
        line: 1,
        column: start + 1,
        text,
        token: name,
      });
    }
    return hits;
  });
}

/** Lower case, but for the few characters that it would make longer: places must stay where they are. */
function foldCase(text: string): string {
  return text.replace(/./gsu, (character) => {
    const lower = character.toLowerCase();
    return lower.length === character.length ? lower : character;
  });
}
