/**
 * What looks like a protected name, by confusable characters after UTS #39. The table is the Unicode
 * Consortium's confusables.txt of Unicode 13, as the package unhomoglyph carries it, with what Unicode
 * 17 changed about Latin letters.
 *
 * @module
 */

import table from "unhomoglyph/data.json" with { type: "json" };
import type { IdentityPolicy } from "../policy.ts";

/** Rows of confusables.txt 17 that Unicode 13 lacks or has otherwise: a character, what it looks like. */
const NEWER_ROWS = "þp ƒf ŋn̩ Ϭ6 ϭo шw џu̩ ղn̩ ւi ३3 \u0d1fs \u1004c \u105ac \u17e0o ⲂB ⲃʙ ⲏʜ ⲐO̵ ⲑo̵ " +
  "ⲓi ⲛɴ Ⲝ3 ⲧᴛ ⲩy Ⲳ- ⲳ- ⲻ- Ⳅ3 ⳇ/ ⳋ9 ⳎP ⳏp ⳓ6 \u{11dd9}: \u{11dda}l \u{11de0}O \u{11de1}l \u{16eaa}l " +
  "\u{16eb6}b \u{16ed1}ƅ \u{1e6e9}+ ʩfn̩ ƙk̔ ƥp̔ ƭt̔ ƴy̔ ɓb̔ ɗd̔ ɠg̔ ꭴo̔";

/**
 * What confusables.txt leaves out and people write names with all the same: small capitals, and the
 * full stops that a browser takes for the dot in a host's name.
 */
const OTHER_ROWS = "ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ꞯq ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz 。.";

// Case is no difference here, so "I" and "i" are one, and with them what looks like either.
const FOLDED_ROWS = "1l |l il 0o mrn";

const OLDER: ReadonlyMap<string, string> = new Map(Object.entries(table));
const NEWER = parseRows(`${NEWER_ROWS} ${OTHER_ROWS}`);
const FOLDED = parseRows(FOLDED_ROWS);

/**
 * First letters of alphabets without a compatibility form, 🅐, 🅰 and 🇦, and of the outlined one of
 * Unicode 16, which an older runtime does not know.
 */
const ENCLOSED_ALPHABETS = [0x1f150, 0x1f170, 0x1f1e6, 0x1ccd6] as const;
const PARENTHESISED = /^\((.)\)$/;
const IGNORABLE = /^[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\u2800]$/u;
const MARKS = /[\p{Mn}\p{Me}]/gu;
const ONLY_ASCII = /^[\0-\x7f]+$/;

/**
 * Whether a character shows nothing of its own: zero-width, bidirectional, soft hyphen, variation
 * selector, tag, empty Braille cell and the like.
 */
export function isIgnorable(character: string): boolean {
  return IGNORABLE.test(character);
}

/** Takes the combining marks out of a text; letters that are composed with a mark stay. */
export function removeMarks(text: string): string {
  return text.replace(MARKS, "");
}

/**
 * Folds a character to the letters that it can be taken for: its UTS #39 prototype, without regard
 * to case. Where that is no ASCII, its compatibility form (fullwidth and mathematical letters) and
 * its other case (Cyrillic `к` has no ASCII prototype, but `К` has) are asked too.
 *
 * @returns One or several characters, combining marks among them
 */
export function foldConfusable(character: string): string {
  if (isUnlikeAny(character)) return character;
  const form = character.normalize("NFKC");
  const enclosed = openEnclosed(character, form);
  if (enclosed !== null) return foldPrototype(enclosed);
  const prototype = foldPrototype(character);
  if (ONLY_ASCII.test(prototype) || ONLY_ASCII.test(removeMarks(prototype))) return prototype;
  const cases = [character.toUpperCase(), character.toLowerCase()];
  const others = [form, ...cases.filter((other) => [...other].length === 1)];
  return others.map(foldPrototype).find((folded) => ONLY_ASCII.test(folded)) ?? prototype;
}

/** Folds a text, without what is ignorable: two texts that look alike give the same. */
export function foldConfusables(text: string): string {
  return [...text].filter((it) => !isIgnorable(it)).map(foldConfusable).join("");
}

/** The common case beyond Latin, told fast: no table and no other form says anything of it. */
function isUnlikeAny(character: string): boolean {
  return character > "\u024f" && character.length === 1 && !OLDER.has(character) &&
    !NEWER.has(character) && character.normalize("NFKD") === character &&
    character.toUpperCase() === character && character.toLowerCase() === character;
}

/** The letter in a dark circle or square, in parentheses, or of a flag. */
function openEnclosed(character: string, form: string): string | null {
  if (form.length === 3) return PARENTHESISED.exec(form)?.[1] ?? null;
  const codePoint = character.codePointAt(0) ?? 0;
  const first = ENCLOSED_ALPHABETS.find((start) => codePoint >= start && codePoint < start + 26);
  return first === undefined ? null : String.fromCharCode(0x61 + codePoint - first);
}

function foldPrototype(text: string): string {
  const skeleton = [...text.normalize("NFD")].map(prototypeOf).join("").normalize("NFD");
  return [...skeleton.toLowerCase()].map((it) => FOLDED.get(it) ?? it).join("");
}

function prototypeOf(character: string): string {
  const newer = NEWER.get(character);
  if (newer !== undefined) return NEWER.get(newer) ?? newer;
  const older = OLDER.get(character) ?? character;
  return NEWER.get(older) ?? older;
}

/** Rows with a space between them, each a character and what stands for it. */
function parseRows(rows: string): ReadonlyMap<string, string> {
  return new Map(rows.split(" ").map(([it = "", ...prototype]) => [it, prototype.join("")]));
}

/** A name that nothing may be mistaken for. */
export interface ProtectedName {
  /** As the policy writes it. */
  readonly text: string;
  /** The letters that it can be taken for. */
  readonly letters: string;
  /** The same with its combining marks. */
  readonly marked: string;
}

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
 * name, and of the repository its URL, its host, its owner and its name; each once.
 */
export function listProtectedNames(identity: IdentityPolicy): readonly string[] {
  const names = [
    identity.technical_name,
    identity.display_name,
    ...splitRepository(identity.repository ?? ""),
  ];
  return [...new Set(names.filter((name) => name !== undefined && name !== ""))] as string[];
}

/**
 * The parts of `https://host/owner/name` or `git@host:owner/name.git`: the whole, without its scheme,
 * without its host or its name, and each by itself.
 */
function splitRepository(repository: string): readonly string[] {
  const whole = repository.replace(/(?:\.git)?\/*$/, "");
  const bare = whole.replace(/^[a-z+]+:\/\//i, "").replace(/^[^/:@]*@/, "");
  const [host = "", ...path] = bare.split(/[/:]/).filter((part) => part !== "");
  if (path.length === 0) return [bare];
  // The separators between two parts can look like others as well.
  const pairs = [[host, ...path.slice(0, -1)].join("/"), path.join("/")];
  return [whole, bare, ...pairs, host, ...path.slice(-2)];
}

/** Folds protected names; of several that fold alike, the first stays. */
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
 * Where a text that folds like a protected name must stand to be taken for it. Invisible characters,
 * mixed scripts, compatibility forms and marks that belong to no letter are no one's prose and count
 * inside a longer word too. A text in one script may be prose and must be a word of its own. Letters
 * with the marks of everyday spelling are other letters: `résumé` is no attempt at `resume`.
 *
 * @param text From the first to the last visible character
 * @param written All protected names: none of them is a look-alike, in whatever case
 */
export function judgeLookalike(
  text: string,
  name: ProtectedName,
  written: readonly string[],
): "anywhere" | "word" | "never" {
  if (written.some((other) => isInSomeCase(text, other))) return "never";
  const isExact = foldConfusables(text) === name.marked;
  const { length } = name.letters;
  if (!NOT_ASCII.test(text)) {
    const isSpelt = isExact && hasSameSigns(text, name.text) && /[a-z]/i.test(text);
    return isSpelt && length >= LEAST_LETTERS_ASCII ? "word" : "never";
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

/** Whether two characters are one letter, in whatever case. */
export function isSameLetter(found: string, expected: string): boolean {
  return found === expected || found === expected.toUpperCase() || found === expected.toLowerCase();
}

/** ASCII signs that are part of no word stand for no letter: `|` ends a cell of a table. */
function hasSameSigns(text: string, name: string): boolean {
  return text.replace(/\w/g, "") === name.replace(/\w/g, "");
}

function isDisguised(text: string): boolean {
  const characters = [...text.normalize("NFC")];
  if (characters.some(isIgnorable)) return true;
  const letters = characters.filter((character) => LETTER.test(character)).join("");
  const isMixed = LATIN.test(letters) && OTHER_SCRIPT.test(letters);
  if (isMixed || letters !== letters.normalize("NFKC")) return true;
  return !OTHER_SCRIPT.test(letters) && characters.some((character) => MARK.test(character));
}

/**
 * Whether a Latin letter has a mark that everyday spelling does not know (`ṃ`, `ɗ`), or a sign stands
 * for a letter with a mark, or for a separator with one: `₩`, `⍡`, `∸`.
 */
function hasRareMark(text: string): boolean {
  return [...text.normalize("NFC")].some((character) => {
    const isRare = LETTER.test(character)
      ? LATIN.test(character) && (character.codePointAt(0) ?? 0) > LAST_EVERYDAY_LETTER
      : NOT_ASCII.test(character);
    return isRare && MARK.test(foldConfusable(character));
  });
}

/**
 * Whether a character is a letter with a mark of everyday spelling, which alone makes no look-alike
 * of a name without marks.
 */
export function isEverydayLetter(codePoint: number): boolean {
  return codePoint >= 0xc0 && codePoint <= LAST_EVERYDAY_LETTER &&
    MARK.test(foldConfusable(String.fromCodePoint(codePoint)));
}
