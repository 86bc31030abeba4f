/**
 * Confusable characters after UTS #39. The table is the Unicode Consortium's confusables.txt of
 * Unicode 13, as the package unhomoglyph carries it, with what Unicode 17 changed about Latin letters.
 *
 * @module
 */

import table from "unhomoglyph/data.json" with { type: "json" };

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
 * Tells whether a character shows nothing of its own: zero-width, bidirectional, soft hyphen,
 * variation selector, tag, empty Braille cell and the like.
 *
 * @param character One code point
 */
export function isIgnorable(character: string): boolean {
  return IGNORABLE.test(character);
}

/**
 * Takes the combining marks out of a text.
 *
 * @param text Any text; letters that are composed with a mark stay
 */
export function removeMarks(text: string): string {
  return text.replace(MARKS, "");
}

/**
 * Folds a character to the letters that it can be taken for: its UTS #39 prototype, without regard
 * to case. Where that is no ASCII, its compatibility form (fullwidth and mathematical letters) and
 * its other case (Cyrillic `к` has no ASCII prototype, but `К` has) are asked too.
 *
 * @param character One code point
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
  return others.filter((other) => other !== character).map(foldPrototype)
    .find((folded) => ONLY_ASCII.test(folded)) ?? prototype;
}

/**
 * Folds a text character by character; what is ignorable drops out.
 *
 * @param text Any text
 * @returns Two texts that look alike give the same
 */
export function foldConfusables(text: string): string {
  let folded = "";
  for (const character of text) {
    if (!isIgnorable(character)) folded += foldConfusable(character);
  }
  return folded;
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
  let skeleton = "";
  for (const character of text.normalize("NFD")) skeleton += prototypeOf(character);
  let folded = "";
  for (const character of skeleton.normalize("NFD").toLowerCase()) {
    folded += FOLDED.get(character) ?? character;
  }
  return folded;
}

function prototypeOf(character: string): string {
  const newer = NEWER.get(character);
  if (newer !== undefined) return NEWER.get(newer) ?? newer;
  const older = OLDER.get(character) ?? character;
  return NEWER.get(older) ?? older;
}

/** Rows with a space between them, each a character and what stands for it. */
function parseRows(rows: string): ReadonlyMap<string, string> {
  return new Map(
    rows.split(" ").map((row) => {
      const [character = "", ...prototype] = row;
      return [character, prototype.join("")];
    }),
  );
}
