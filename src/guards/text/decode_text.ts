import { detectTextStart } from "../content/text_position.ts";

/** A file's text, or why it has none. */
export type DecodedText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Decodes a text file: UTF-8, or UTF-16 by its byte order mark. The mark is no part of the text.
 *
 * @param bytes The file's bytes
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const { encoding, hasMark } = detectTextStart(bytes.subarray(0, 3));
  if (encoding !== "utf-8" && !hasMark) {
    return { ok: false, reason: "it looks like UTF-16 and has no byte order mark" };
  }
  try {
    return { ok: true, text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch {
    return { ok: false, reason: `it is not valid ${encoding.toUpperCase()}` };
  }
}
