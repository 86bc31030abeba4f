import { KprovError } from "../../kprov_error.ts";

/** Two numbers of 32 bits before the words, one after them. */
const FRAME_LENGTH = 12;
const WORD_LENGTH = 8;
const WORD_BITS = 64;

/** A bitmap and where it ended. */
export interface ParsedBitmap {
  /** The positions of the bits that are set, ascending. */
  readonly positions: number[];
  /** The offset behind it. */
  readonly end: number;
}

interface Words {
  readonly view: DataView;
  /** Where the first word stands. */
  readonly start: number;
  /** How many words there are. */
  readonly count: number;
  /** How many bits there are. */
  readonly bits: number;
}

/**
 * Parses a bitmap in EWAH form as git stores it: runs of equal words, each followed by words that
 * stand for themselves (https://git-scm.com/docs/bitmap-format, appendix A).
 *
 * @param view The bytes it stands in
 * @param offset Where it starts
 * @param size How many bits may be there at most
 * @throws {KprovError} `data`
 */
export function parseBitmap(view: DataView, offset: number, size: number): ParsedBitmap {
  if (offset + FRAME_LENGTH > view.byteLength) throw refuseBitmap();
  const bits = view.getUint32(offset);
  const count = view.getUint32(offset + 4);
  const end = offset + FRAME_LENGTH + count * WORD_LENGTH;
  if (bits > size || end > view.byteLength) throw refuseBitmap();
  return { positions: listPositions({ view, start: offset + 8, count, bits }), end };
}

function listPositions(words: Words): number[] {
  const positions: number[] = [];
  let position = 0;
  for (let i = 0; i < words.count; i++) {
    const high = words.view.getUint32(words.start + i * WORD_LENGTH);
    const low = words.view.getUint32(words.start + i * WORD_LENGTH + 4);
    // Bit 0: what the run repeats; 32 bits: its length in words; 31 bits: words that follow.
    const runEnd = position + ((low >>> 1) + (high & 1) * 2 ** 31) * WORD_BITS;
    if ((low & 1) === 1) pushRun(positions, position, runEnd, words.bits);
    position = runEnd;
    const literals = high >>> 1;
    if (literals >= words.count - i) throw refuseBitmap();
    for (let k = 1; k <= literals; k++, position += WORD_BITS) {
      pushWord(positions, position, words, i + k);
    }
    i += literals;
  }
  return positions;
}

function pushRun(positions: number[], start: number, end: number, bits: number): void {
  if (end > bits) throw refuseBitmap();
  for (let position = start; position < end; position++) positions.push(position);
}

function pushWord(positions: number[], position: number, words: Words, index: number): void {
  const high = words.view.getUint32(words.start + index * WORD_LENGTH);
  const low = words.view.getUint32(words.start + index * WORD_LENGTH + 4);
  for (let bit = 0; bit < WORD_BITS; bit++) {
    const half = bit < 32 ? low : high;
    if (((half >>> (bit & 31)) & 1) === 0) continue;
    if (position + bit >= words.bits) throw refuseBitmap();
    positions.push(position + bit);
  }
}

function refuseBitmap(): KprovError {
  return new KprovError("data", "one of its bitmaps is malformed");
}
