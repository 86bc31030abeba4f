import type { DocumentBytes } from "./document_bytes.ts";
import type { DocumentName } from "./documents.ts";
import type { DocumentTypes } from "./parse_document.ts";

/** A run directory with the bytes of its files. */
export interface RunFiles {
  /** The directory's name, which is the run's id; null where it is not known. */
  readonly name: string | null;
  /** The bytes of every file in it, by name; each file is read at most once. */
  readonly files: ReadonlyMap<string, DocumentBytes>;
}

/** The four documents of a run, parsed, with the digests of their bytes. */
export interface Run {
  /** What each document holds. */
  readonly documents: DocumentTypes;
  /** Digest of each document's bytes. */
  readonly digests: Readonly<Record<DocumentName, string>>;
}
