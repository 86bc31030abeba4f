/** A check of verify in plain words, with the codes of the findings by which it fails. */
export interface Check {
  /** What holds where nothing is found. */
  readonly claim: string;
  /** The codes of its findings. */
  readonly codes: readonly string[];
  /** Whether it holds documents against each other, and so needs all four. */
  readonly needsAll: boolean;
}

/** What verify checks, in its order. */
export const CHECKS: readonly Check[] = [
  {
    claim: "The run holds exactly its four documents, and nothing else.",
    codes: ["document.missing", "document.unexpected"],
    needsAll: false,
  },
  {
    claim:
      "Each document reads in one way only, has its form, and has the bytes that kprov writes.",
    codes: ["document.malformed", "document.schema", "document.not_canonical"],
    needsAll: false,
  },
  {
    claim: "provenance.json was made with this toolchain.json: it names it by its digest.",
    codes: ["evidence.toolchain_mismatch"],
    needsAll: true,
  },
  {
    claim: "The review judges this evidence and no other.",
    codes: ["review.foreign"],
    needsAll: true,
  },
  {
    claim:
      "Everything in run_summary.json that can be computed again is true: digests, totals, times, outcome.",
    codes: ["summary.mismatch"],
    needsAll: true,
  },
  {
    claim: "Every file is listed once, in order, and lies in a path that was given.",
    codes: [
      "names.duplicate",
      "names.unsorted",
      "names.uncovered",
      "names.other_shard",
      "subject.mismatch",
    ],
    needsAll: true,
  },
];

/** What each code of verify means for somebody who does not read the documents. */
const MEANINGS: Readonly<Record<string, string>> = {
  "document.missing": "A document of the run is gone. The run cannot be judged without it.",
  "document.unexpected": "Somebody put a file into the run directory that kprov did not write.",
  "document.malformed": "A document cannot be read at all, or not in one way only.",
  "document.schema": "A document says something that kprov never writes, or leaves something out.",
  "document.not_canonical": "The bytes of a document were changed after kprov wrote it.",
  "evidence.toolchain_mismatch":
    "The evidence belongs to another toolchain.json: one of the two was changed or exchanged.",
  "review.foreign":
    "The decision was taken about other evidence: it was carried here, or the evidence was changed after it.",
  "summary.mismatch": "The summary says something that the evidence contradicts.",
  "names.duplicate": "A file is listed twice.",
  "names.unsorted": "The files are not listed in the order in which kprov lists them.",
  "names.uncovered": "The files that are listed are not those of the paths that were given.",
  "names.other_shard":
    "The run is a part of a larger one, and a file in it belongs to another part.",
  "subject.mismatch":
    "The run has no products, and yet vouches for something else than its inputs.",
};

/**
 * What a finding means.
 *
 * @param code Its code
 */
export function explainCode(code: string): string {
  return MEANINGS[code] ?? "The run is not as kprov wrote it.";
}
