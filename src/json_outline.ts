/** A JSON text without the items of its long lists. */
export interface JsonOutline {
  /** The text, with `[]` in the place of each list. */
  readonly text: string;
  /** What was left out of it, in order. */
  readonly cuts: readonly JsonCut[];
}

/** A list that was left out of an outline. */
export interface JsonCut {
  /** Where its `[]` stands in the outline's text. */
  readonly offset: number;
  /** How many line ends were left out. */
  readonly lines: number;
}
