import type { IdentityPolicy } from "../policy.ts";
import { foldConfusable, foldConfusables, isIgnorable, removeMarks } from "./confusables.ts";

/** A name that nothing may be mistaken for. */
export interface ProtectedName {
  /** As the policy writes it. */
  readonly text: string;
  /** The letters that it can be taken for. */
  readonly letters: string;
  /** The same with its combining marks. */
  readonly marked: string;
}

/** Where a text must stand to be taken for a name: `anywhere`, as a `word` of its own, or `never`. */
type LookalikeReach = "anywhere" | "word" | "never";

// Shorter names are words of too many languages: Cyrillic "сор" is no attempt at "cop".
const LEAST_LETTERS_MIXED = 3;
const LEAST_LETTERS_ONE_SCRIPT = 4;
/** The letters of the shortest name that ASCII alone can be taken for. */
export const LEAST_LETTERS_ASCII = 5;

const LETTER = /[\p{L}\p{N}]/u;
const LATIN = /\p{Script=Latin}/u;
const OTHER_SCRIPT = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;
const MARK = /[\p{Mn}\p{Me}]/u;
const NOT_ASCII = /[^\0-\x7f]/;
// Latin-1 and Latin Extended-A and -B: the letters with marks of everyday spelling.
const LAST_EVERYDAY_LETTER = 0x24f;

/**
 * Lists the names of a project that nothing may be mistaken for: the technical name, the display
 * name, and of the repository its URL, its host, its owner and its name.
 *
 * @param identity The policy's section
 * @returns Each name once
 */
export function listProtectedNames(identity: IdentityPolicy): readonly string[] {
  const names = [
    identity.technical_name,
    identity.display_name,
    ...splitRepository(identity.repository ?? ""),
  ];
  return [...new Set(names.filter((name) => name !== undefined && name !== ""))] as string[];
}

/** The parts of `https://host/owner/name` or `git@host:owner/name.git`: the whole, with and without its scheme. */
function splitRepository(repository: string): readonly string[] {
  const whole = repository.replace(/(?:\.git)?\/*$/, "");
  const bare = whole.replace(/^[a-z+]+:\/\//i, "").replace(/^[^/:@]*@/, "");
  const [host = "", ...path] = bare.split(/[/:]/).filter((part) => part !== "");
  return path.length === 0 ? [bare] : [whole, bare, host, ...path.slice(-2)];
}

/**
 * Folds names.
 *
 * @param names As {@linkcode listProtectedNames} gives them
 * @returns Of several that fold alike, the first
 */
export function foldNames(names: readonly string[]): readonly ProtectedName[] {
  const byLetters = new Map<string, ProtectedName>();
  for (const text of names) {
    const marked = foldConfusables(text);
    const letters = removeMarks(marked);
    if (letters !== "" && !byLetters.has(letters)) {
      byLetters.set(letters, { text, letters, marked });
    }
  }
  return [...byLetters.values()];
}

/**
 * Judges a text that folds like a protected name. Invisible characters, mixed scripts, compatibility
 * forms and marks that belong to no letter are no one's prose and count inside a longer word too. A
 * text in one script may be prose and must be a word of its own. Letters with the marks of everyday
 * spelling are other letters: `résumé` is no attempt at `resume`.
 *
 * @param text From the first to the last visible character
 * @param name The name
 * @param written All protected names: none of them is a look-alike, in whatever case
 */
export function judgeLookalike(
  text: string,
  name: ProtectedName,
  written: readonly string[],
): LookalikeReach {
  if (written.some((other) => isInSomeCase(text, other))) return "never";
  const isExact = foldConfusables(text) === name.marked;
  const { length } = name.letters;
  if (!NOT_ASCII.test(text)) {
    return isExact && length >= LEAST_LETTERS_ASCII && /[a-z]/i.test(text) ? "word" : "never";
  }
  if (isDisguised(text)) return length >= LEAST_LETTERS_MIXED ? "anywhere" : "never";
  if (!isExact && !hasRareMark(text)) return "never";
  return length >= LEAST_LETTERS_ONE_SCRIPT ? "word" : "never";
}

/**
 * Tells whether a text is a name in some case. Each character is held against the name's own two
 * cases, since others fold onto them: the Kelvin sign's lower case is an ASCII `k`.
 */
function isInSomeCase(text: string, name: string): boolean {
  const expected = [...name.normalize("NFC")];
  const found = [...(NOT_ASCII.test(name) ? text.normalize("NFC") : text)];
  return found.length === expected.length &&
    expected.every((character, index) => isSameLetter(found[index] ?? "", character));
}

function isSameLetter(found: string, expected: string): boolean {
  return found === expected || found === expected.toUpperCase() || found === expected.toLowerCase();
}

function isDisguised(text: string): boolean {
  const characters = [...text.normalize("NFC")];
  if (characters.some(isIgnorable)) return true;
  const letters = characters.filter((character) => LETTER.test(character)).join("");
  const isMixed = LATIN.test(letters) && OTHER_SCRIPT.test(letters);
  if (isMixed || letters !== letters.normalize("NFKC")) return true;
  return !OTHER_SCRIPT.test(letters) && characters.some((character) => MARK.test(character));
}

/** Whether a Latin letter has a mark that everyday spelling does not know: `ṃ`, `ɗ`. */
function hasRareMark(text: string): boolean {
  return [...text.normalize("NFC")].some((character) =>
    (character.codePointAt(0) ?? 0) > LAST_EVERYDAY_LETTER && LATIN.test(character) &&
    MARK.test(foldConfusable(character))
  );
}

/**
 * Tells whether a character is a letter with a mark of everyday spelling, which alone makes no
 * look-alike of a name without marks.
 *
 * @param codePoint The character
 */
export function isEverydayLetter(codePoint: number): boolean {
  return codePoint >= 0xc0 && codePoint <= LAST_EVERYDAY_LETTER &&
    MARK.test(foldConfusable(String.fromCodePoint(codePoint)));
}

/** A character of a text with the letters that it folds to, and where they stand among all. */
interface PlacedCharacter {
  readonly character: string;
  readonly letters: string;
  readonly start: number;
}

const MOST_DIFFERENCES = 5;

/**
 * Says in which characters a look-alike differs from the name: `U+043E in place of "o"`.
 *
 * @param text The look-alike
 * @param name The name that it looks like
 */
export function describeDifference(text: string, name: string): string {
  const expected = placeCharacters(name);
  const numbers = new Map<string, string[]>();
  for (const placed of placeCharacters(text)) {
    const meant = placed.letters === "" ? [] : expected.filter((other) => overlap(placed, other));
    const joined = meant.map(({ character }) => character).join("");
    if (isSameLetter(placed.character, joined)) continue;
    // Both of `rn` stand in the place of one `m`.
    const key = joined === "" ? "added" : `in place of ${JSON.stringify(joined)}`;
    const known = numbers.get(key) ?? [];
    numbers.set(key, [...new Set([...known, numberOf(placed.character)])]);
  }
  const listed = [...numbers].map(([key, all]) => `${all.join(" ")} ${key}`);
  const more = listed.length - MOST_DIFFERENCES;
  return listed.slice(0, MOST_DIFFERENCES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function overlap(a: PlacedCharacter, b: PlacedCharacter): boolean {
  return b.letters !== "" && b.start < a.start + a.letters.length &&
    a.start < b.start + b.letters.length;
}

function placeCharacters(text: string): readonly PlacedCharacter[] {
  let start = 0;
  return [...text].map((character) => {
    const letters = isIgnorable(character) ? "" : removeMarks(foldConfusable(character));
    const placed = { character, letters, start };
    start += letters.length;
    return placed;
  });
}

function numberOf(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `U+${hex.padStart(4, "0")}`;
}
