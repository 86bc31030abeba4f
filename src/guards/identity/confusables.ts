/**
 * Confusable characters after UTS #39. The table is the Unicode Consortium's confusables.txt, as the
 * package unhomoglyph carries it.
 *
 * @module
 */

import table from "unhomoglyph/data.json" with { type: "json" };

const PROTOTYPES: Readonly<Record<string, string>> = table;
const IGNORABLE = /^[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]$/u;
const ONLY_ASCII = /^[\0-\x7f]+$/;

// Case is no difference here, so "I" and "i" are one, and with them what looks like either.
const PROTOTYPE_OF_FOLDED: Readonly<Record<string, string>> = {
  "1": "l",
  "|": "l",
  "i": "l",
  "0": "o",
  "m": "rn",
};

/**
 * Tells whether a character shows nothing of its own: zero-width, bidirectional, soft hyphen,
 * variation selector, tag and the like.
 *
 * @param character One code point
 */
export function isIgnorable(character: string): boolean {
  return IGNORABLE.test(character);
}

/**
 * Folds a character to the letters that it can be taken for: its UTS #39 prototype, without regard
 * to case. Where that is no ASCII, its compatibility form (fullwidth and mathematical letters) and
 * its other case (Cyrillic `к` has no ASCII prototype, but `К` has) are asked too.
 *
 * @param character One code point
 * @returns One or several characters
 */
export function foldConfusable(character: string): string {
  const prototype = foldPrototype(character);
  if (ONLY_ASCII.test(prototype)) return prototype;
  const others = [character.normalize("NFKC"), character.toUpperCase(), character.toLowerCase()];
  for (const [index, other] of others.entries()) {
    if (index > 0 && [...other].length !== 1) continue;
    const folded = foldPrototype(other);
    if (ONLY_ASCII.test(folded)) return folded;
  }
  return prototype;
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

function foldPrototype(text: string): string {
  const skeleton = replaceEach(text.normalize("NFD"), PROTOTYPES).normalize("NFD");
  return replaceEach(skeleton.toLowerCase(), PROTOTYPE_OF_FOLDED);
}

function replaceEach(text: string, replacements: Readonly<Record<string, string>>): string {
  let replaced = "";
  for (const character of text) replaced += replacements[character] ?? character;
  return replaced;
}
