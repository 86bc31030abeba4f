/** What a word says, which is all that colours stand for. */
export type Meaning = "bad" | "good" | "note";

/** Colours a word, or leaves it. */
export type Paint = (text: string, meaning: Meaning) => string;

/** How a result is shown to people. */
export interface TextOptions {
  /** Whether words are coloured by what they mean: bad red, good green, notes yellow. */
  readonly isColored: boolean;
}

/** SGR parameters (ECMA-48) of the colours. */
const COLORS: Readonly<Record<Meaning, number>> = { bad: 31, good: 32, note: 33 };

/**
 * Chooses between colours and none.
 *
 * @param options Whether there are colours
 */
export function choosePaint({ isColored }: TextOptions): Paint {
  return isColored ? (text, meaning) => `\x1b[${COLORS[meaning]}m${text}\x1b[0m` : (text) => text;
}
