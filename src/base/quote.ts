import { levenshteinDistance } from "./std.ts";

/** What a CI system takes for a command to itself. Each matches what to escape. */
const COMMANDS: readonly string[] = [
  // `##[…]` (GitHub Actions, Azure Pipelines), `##vso[…]` (Azure), `##teamcity[…]` (TeamCity).
  String.raw`#(?<=##)(?=[\w.-]*\[)`,
  // `::command::` (GitHub Actions), at the start of a line after any space; as a name begins, too.
  String.raw`:(?=:)(?<![^\s/"']:)`,
  // `--- group`, `+++ group`, `~~~ group` and `^^^ +++` (Buildkite), at the start of a line.
  String.raw`(?<mark>[-+~^])(?=\k<mark>{2}\s)(?<![^\n].)`,
  // `section_start:` (GitLab) and `travis_fold:` (Travis) want control characters beside them, which
  // are gone by then; who reads a log without them is not misled either.
  String.raw`:(?<=(?:section_(?:start|end)|travis_(?:fold|time)):)`,
];

/** What no output of kprov may hold as it is, in a text that is ASCII alone. */
const UNSAFE_IN_ASCII = new RegExp([String.raw`[\x00-\x1f\x7f]`, ...COMMANDS].join("|"), "gu");

/** The same in any text: made when it is needed, for the properties of Unicode take 5 ms. */
let unsafe: RegExp | null = null;

function makeUnsafe(): RegExp {
  const characters = [
    // Control (Cc), format (Cf: bidirectional, zero-width and tag characters), line and paragraph
    // separators, private use, unassigned, lone surrogates, whatever Unicode shows as nothing, and the
    // blank Braille cell: nothing that a terminal could act on or a reader overlook. The marks behind
    // one lose what they stand on.
    String
      .raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]\p{M}*`,
    // Combining marks without a letter of their own change what stands before them, such as a
    // quotation mark.
    String.raw`(?<![\p{L}\p{N}\p{M}\p{So}])\p{M}+`,
  ];
  return new RegExp([...characters, ...COMMANDS].join("|"), "gu");
}

/**
 * Replaces every character of a text that must not be printed as it is: what a terminal acts on, a
 * reader overlooks, or a CI system takes for a command to itself.
 *
 * @param text Any text
 * @param escape Gives what takes the place of a character
 */
export function replaceUnsafe(text: string, escape: (character: string) => string): string {
  const pattern = /^\p{ASCII}*$/u.test(text) ? UNSAFE_IN_ASCII : unsafe ??= makeUnsafe();
  return text.replace(
    pattern,
    (found) => found.length === 1 ? escape(found) : [...found].map(escape).join(""),
  );
}

/** Writes a code point, or a lone surrogate, as `\u202e`, or beyond U+FFFF as `\u{e0041}`. */
function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/**
 * Makes text from outside safe to show, on a terminal and in the log of a CI system: control,
 * bidirectional, zero-width and other invisible characters appear as `\u202e`, and so does the
 * character that makes a command to a CI system of what follows.
 *
 * @param text Any text; what is escaped already stays as it is
 * @returns The text on one line
 */
export function escapeText(text: string): string {
  return replaceUnsafe(text, escapeCharacter);
}

/** Escapes the lines of a workflow command's message (GitHub Actions); the runner undoes what is written with `%`. */
export function escapeGithubLines(lines: readonly string[]): string {
  return lines.map((line) => escapeText(line).replaceAll("%", "%25")).join("%0A");
}

/** Escapes the value of such a command's property, which ends at a comma or a colon; a path stays the one that it is. */
export function escapeGithubValue(value: string): string {
  return escapeText(value.replaceAll("%", "%25").replaceAll(":", "%3A").replaceAll(",", "%2C"));
}

/** What kprov sends to a terminal itself: colours (SGR of ECMA-48), and for progress a line drawn anew. */
// deno-lint-ignore no-control-regex
const OWN_CONTROLS = /(\x1b\[[0-9;]*m|\r|\x1b\[K)/;

/** Escapes lines as {@linkcode escapeText} does; a terminal keeps what kprov sends it itself. */
export function escapeOutput(text: string, isTerminal: () => boolean): string {
  const safe = escapeLines(text);
  if (safe === text || !isTerminal()) return safe;
  return text.split(OWN_CONTROLS).map((part, i) => i % 2 === 1 ? part : escapeLines(part)).join("");
}

function escapeLines(text: string): string {
  return replaceUnsafe(
    text,
    (character) => /[\n\t]/.test(character) ? character : escapeCharacter(character),
  );
}

/**
 * Puts a name from outside between quotation marks, safe to show.
 *
 * @param name A file name or another word from outside
 * @returns `"name"`, with `"` and `\` escaped and everything {@linkcode escapeText} escapes as `\u202e`:
 * no two names look the same
 */
export function quote(name: string): string {
  return `"${escapeText(name.replace(/["\\]/g, "\\$&"))}"`;
}

/**
 * Shows a name where most stand without quotation marks: as it is where that is safe and plain, else
 * as {@linkcode quote} does.
 *
 * @param name A file name or another word from outside
 */
export function showName(name: string): string {
  const isPlain = name !== "" && !/^\s|\s$|["\\]/.test(name) && escapeText(name) === name;
  return isPlain ? name : quote(name);
}

/**
 * Quotes a word for a POSIX shell, so that a line can be copied and run. What must not be
 * printed as it is stands as the octal escapes of its UTF-8 bytes in `$'...'` (POSIX.1-2024,
 * 2.2.4; bash, zsh and ksh know it).
 *
 * @param word Any well-formed text
 * @returns The word itself where it is plain, else quoted
 */
export function shellQuote(word: string): string {
  if (escapeText(word) === word) {
    // zsh looks behind a "=" at the start for a program.
    return /^(?!=)[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  }
  return `$'${replaceUnsafe(word.replace(/['\\]/g, "\\$&"), toOctal)}'`;
}

/**
 * Quotes a path for a POSIX shell, where a command takes paths and flags: one that begins with a dash
 * would be a flag.
 *
 * @param path Any well-formed path
 */
export function shellQuotePath(path: string): string {
  return shellQuote(path.startsWith("-") ? `./${path}` : path);
}

function toOctal(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

/** Most UTF-16 code units of a repository's text that a message shows. */
const MAX_SHOWN = 120;
const HALF_CHARACTER = /[\ud800-\udbff]$/;

/**
 * Quotes text from a repository, safe to show, and cut where it is longer than anyone reads.
 *
 * @param text Any text
 */
export function showText(text: string): string {
  if (text.length <= MAX_SHOWN) return quote(text);
  return quote(`${text.slice(0, MAX_SHOWN).replace(HALF_CHARACTER, "")}…`);
}

/** How many slips of the hand still make the same word. */
const MOST_SLIPS = 2;

/**
 * Finds the known word that was most likely meant: at most two letters were left out, put in or
 * mistaken, and fewer than half of them. Two neighbours that changed places count as one.
 *
 * @param word As it was written
 * @param known The words that there are
 * @returns The nearest, the first of those equally near; null where none is near
 */
export function findNearest(word: string, known: readonly string[]): string | null {
  let nearest: string | null = null;
  let least = Math.min(MOST_SLIPS + 1, word.length / 2);
  for (const candidate of known) {
    // No need to compare texts of any length.
    if (Math.abs(candidate.length - word.length) > MOST_SLIPS) continue;
    const slips = isSwapped(word, candidate) ? 1 : levenshteinDistance(word, candidate);
    if (slips >= least) continue;
    least = slips;
    nearest = candidate;
  }
  return nearest;
}

function isSwapped(word: string, other: string): boolean {
  const i = [...word].findIndex((letter, at) => letter !== other[at]);
  return i >= 0 && word.length === other.length &&
    `${word.slice(0, i)}${word[i + 1]}${word[i]}${word.slice(i + 2)}` === other;
}
