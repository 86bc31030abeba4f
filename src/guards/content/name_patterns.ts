import { foldConfusable } from "../lookalike/confusables.ts";
import { type BytePattern, exactPattern } from "./byte_patterns.ts";

const ONLY_LATIN1 = /^[\0-\xff]*$/;
const ONLY_ASCII = /^[\0-\x7f]*$/;
// Each `rn` doubles the spellings; behind so many it is taken as it is.
const MOST_PAIRS = 6;

/**
 * Lists the byte sequences by which a text may stand in a file: as UTF-8 and as UTF-16 of either
 * order. Where all second bytes are zero, one pattern serves both orders, without the outer zero.
 *
 * @param text At least one character
 */
export function listTextPatterns(text: string): readonly BytePattern[] {
  const utf8 = new TextEncoder().encode(text);
  const little = encodeUtf16Little(text);
  if (ONLY_LATIN1.test(text)) {
    const both = little.subarray(0, -1);
    return both.length === 1 && utf8.length === 1
      ? [exactPattern(utf8)]
      : [exactPattern(utf8), exactPattern(both)];
  }
  return [utf8, little, swapBytes(little)].map(exactPattern);
}

/**
 * Lists the sequences of ASCII bytes that fold to the same letters as a name: each letter in both
 * cases and as the digits that look like it, `rn` also as `m`. Signs such as `|`, that are part of
 * no word, are left out.
 *
 * @param letters The folded name
 * @returns Nothing where the name folds to anything but ASCII
 */
export function listAsciiLookalikes(letters: string): readonly BytePattern[] {
  return letters !== "" && ONLY_ASCII.test(letters) ? listSpellings(letters, MOST_PAIRS) : [];
}

function listSpellings(letters: string, pairs: number): readonly BytePattern[] {
  if (letters === "") return [[]];
  const isPair = pairs > 0 && letters.startsWith("rn");
  const first = listBytesOf(letters.charAt(0));
  const spellings = listSpellings(letters.slice(1), isPair ? pairs - 1 : pairs)
    .map((rest) => [first, ...rest]);
  if (!isPair) return spellings;
  const pair = listBytesOf("rn");
  const others = listSpellings(letters.slice(2), pairs - 1).map((rest) => [pair, ...rest]);
  return [...spellings, ...others];
}

/** The ASCII characters that fold to these letters; any letter itself is among them. */
function listBytesOf(letters: string): readonly number[] {
  const bytes: number[] = [];
  for (let byte = 0; byte < 0x80; byte++) {
    const character = String.fromCharCode(byte);
    const isWord = /\w/.test(character) || character === letters;
    if (isWord && foldConfusable(character) === letters) bytes.push(byte);
  }
  return bytes;
}

function encodeUtf16Little(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    bytes[2 * i] = text.charCodeAt(i) & 0xff;
    bytes[2 * i + 1] = text.charCodeAt(i) >> 8;
  }
  return bytes;
}

function swapBytes(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, index) => bytes[index ^ 1] ?? 0);
}
