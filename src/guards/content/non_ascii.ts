const HIGH_BITS = 0x80808080;
const SHORT_RUN = 32;

/**
 * Finds the next byte that is no ASCII.
 *
 * @param bytes Where to look
 * @param from From which index
 * @returns Its index, or the length where there is none
 */
export function findNonAscii(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  // Between other characters the runs are short, and a view of words costs more than they.
  const near = Math.min(length, from + SHORT_RUN);
  let i = from;
  while (i < near && bytes[i]! < 0x80) i++;
  if (i < near || i === length) return i;
  while (i < length && (bytes.byteOffset + i) % 4 !== 0 && bytes[i]! < 0x80) i++;
  if ((bytes.byteOffset + i) % 4 === 0) i += skipAsciiWords(bytes, i);
  while (i < length && bytes[i]! < 0x80) i++;
  return i;
}

/** How many bytes from an aligned index on are ASCII for sure, four words at a time. */
function skipAsciiWords(bytes: Uint8Array, from: number): number {
  const count = (bytes.length - from) >> 2;
  if (count < 4) return 0;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + from, count);
  let i = 0;
  while (i + 4 <= count) {
    if (((words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!) & HIGH_BITS) !== 0) break;
    i += 4;
  }
  return i * 4;
}
