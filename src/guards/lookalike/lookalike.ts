const LETTER = /[\p{L}\p{N}]/u;
const LATIN = /\p{Script=Latin}/u;
const OTHER_SCRIPT = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;
const NOT_ASCII = /[^\0-\x7f]/;

// Shorter names are words of too many languages: Cyrillic "сор" is no attempt at "cop".
const LEAST_LETTERS_MIXED = 3;
const LEAST_LETTERS_ONE_SCRIPT = 4;
const LEAST_LETTERS_ASCII = 5;

/** Where a text must stand to be taken for a name: `anywhere`, as a `word` of its own, or `never`. */
export type LookalikeReach = "anywhere" | "word" | "never";

/**
 * Judges a text that folds like a protected name. Invisible characters, mixed scripts and
 * compatibility forms are no one's prose and count inside a longer word too. A text in one script
 * may be prose and must be a word of its own.
 *
 * @param text From the first to the last visible character
 * @param letters How many letters the name folds to
 * @param names All protected names: none of them is a look-alike, in whatever case
 */
export function judgeLookalike(
  text: string,
  letters: number,
  names: readonly string[],
): LookalikeReach {
  if (names.some((name) => isInSomeCase(text, name))) return "never";
  if (!NOT_ASCII.test(text)) {
    return letters >= LEAST_LETTERS_ASCII && /[a-z]/i.test(text) ? "word" : "never";
  }
  if (isDisguised(text)) return letters >= LEAST_LETTERS_MIXED ? "anywhere" : "never";
  return letters >= LEAST_LETTERS_ONE_SCRIPT ? "word" : "never";
}

/**
 * Tells whether a text is a name in some case. Each character is held against the name's own two
 * cases, since others fold onto them: the Kelvin sign's lower case is an ASCII `k`.
 */
function isInSomeCase(text: string, name: string): boolean {
  const expected = [...name.normalize("NFC")];
  const found = [...(NOT_ASCII.test(name) ? text.normalize("NFC") : text)];
  return found.length === expected.length &&
    expected.every((character, index) =>
      found[index] === character || found[index] === character.toUpperCase() ||
      found[index] === character.toLowerCase()
    );
}

function isDisguised(text: string): boolean {
  if (IGNORABLE.test(text)) return true;
  const letters = [...text].filter((character) => LETTER.test(character)).join("");
  return LATIN.test(letters) && OTHER_SCRIPT.test(letters) ||
    letters.normalize("NFC") !== letters.normalize("NFKC");
}
