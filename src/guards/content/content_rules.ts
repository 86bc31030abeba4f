import { type BytePattern, type ByteSearch, compileBytePatterns } from "./byte_patterns.ts";
import { ConfusableFinder } from "../lookalike/confusable_finder.ts";
import { listAsciiLookalikes, listTextPatterns } from "./name_patterns.ts";
import { NameAutomaton } from "../lookalike/name_automaton.ts";
import type { IdentityPolicy } from "../policy.ts";
import { listProtectedNames } from "./protected_names.ts";

/** What a match of one byte pattern means. */
export interface PatternMeaning {
  /** The finding that it is. */
  readonly code: "identity.forbidden_token" | "identity.display_name" | "identity.lookalike";
  /** The forbidden token, the display name, or the name that it looks like. */
  readonly token: string;
  /** How many bytes it takes. */
  readonly length: number;
  /** How many letters the name folds to, of a look-alike. */
  readonly letters: number;
}

/** What content is searched for. */
export interface ContentRules {
  /** Finds the byte patterns. */
  readonly search: ByteSearch;
  /** What each pattern means. */
  readonly meanings: readonly PatternMeaning[];
  /** The bytes of the longest pattern. */
  readonly longestPattern: number;
  /** The protected names as they may be spelt outside of ASCII. */
  readonly automaton: NameAutomaton;
  /** Finds where such spellings may be. */
  readonly finder: ConfusableFinder;
  /** The protected names. */
  readonly names: readonly string[];
}

/**
 * Compiles what the identity guard searches content for.
 *
 * @param identity The policy's section
 */
export function compileContentRules(identity: IdentityPolicy): ContentRules {
  const names = listProtectedNames(identity);
  const automaton = new NameAutomaton(names);
  const listed = [
    ...new Set(identity.forbidden_tokens ?? []),
  ].flatMap((token) => describe("identity.forbidden_token", token, listTextPatterns(token)));
  const display = identity.display_name;
  // A display name that is the technical name too may stand anywhere.
  if (display !== undefined && display !== identity.technical_name) {
    listed.push(...describe("identity.display_name", display, listTextPatterns(display)));
  }
  for (const { text, letters } of automaton.names) {
    const patterns = listAsciiLookalikes(letters);
    listed.push(...describe("identity.lookalike", text, patterns, letters.length));
  }
  return {
    search: compileBytePatterns(listed.map(({ pattern }) => pattern)),
    meanings: listed.map(({ meaning }) => meaning),
    longestPattern: Math.max(0, ...listed.map(({ pattern }) => pattern.length)),
    automaton,
    finder: new ConfusableFinder(automaton),
    names,
  };
}

interface DescribedPattern {
  readonly pattern: BytePattern;
  readonly meaning: PatternMeaning;
}

function describe(
  code: PatternMeaning["code"],
  token: string,
  patterns: readonly BytePattern[],
  letters = 0,
): DescribedPattern[] {
  return patterns.map((pattern) => ({
    pattern,
    meaning: { code, token, length: pattern.length, letters },
  }));
}
