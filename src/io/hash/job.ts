/** Why a file has no digest, in parts that can be sent from one thread to another. */
export type DigestFault =
  | { readonly state: "fault"; readonly what: "changed" | "link_not_utf8" }
  /** Neither a file nor a link: what it is, in words. */
  | { readonly state: "fault"; readonly what: "kind"; readonly kind: string }
  /** A call refused: the error, which loses its class on the way. */
  | {
    readonly state: "fault";
    readonly what: "refused";
    readonly name: string;
    readonly code: string | null;
    readonly message: string;
  };

/** What came of one file. */
export type DigestOutcome =
  | { readonly state: "file" | "symlink"; readonly size: number; readonly sha256: string }
  /** Larger than what is read now. */
  | { readonly state: "large"; readonly size: number }
  | DigestFault;

/** How one file is read. */
export interface DigestOptions {
  /** A larger one is left for later. */
  readonly largest?: number;
  /** Whether nobody looks at the directories on the way to it before and after. */
  readonly isAlone?: boolean;
  /** Called with the number of bytes of every piece that is read of a large file. */
  readonly onRead?: (bytes: number) => void;
}

/** The files that some threads share among them. Every array lies in shared memory. */
export interface DigestJob {
  /** The directory that the names are relative to, with a separator at its end. */
  readonly prefix: string;
  /** The names in UTF-8, in blocks, with a NUL between those of one; empty where one thread does all. */
  readonly names: Uint8Array;
  /** Where each block ends in that. */
  readonly nameBlockEnds: Float64Array;
  /** Which files are read, in this order; null for all, in the order of their names. */
  readonly order: Uint32Array | null;
  /** How many files are read. */
  readonly turns: number;
  /** Larger ones are left for later. */
  readonly largest: number;
  /** Whether nothing that comes behind a fault matters. */
  readonly stopsAtFault: boolean;
  /** The next turn, the first fault, and for each thread the file that it reads. */
  readonly control: Int32Array;
  /** For each thread, the files and the bytes that it has read, and the files that it left for later. */
  readonly done: Float64Array;
  /** For each file, what came of it: a `STATE_` number; 0 where nothing has yet, and nobody looked. */
  readonly states: Uint8Array;
  /** For each file, its size. */
  readonly sizes: Float64Array;
  /** For each file, 64 hex digits. */
  readonly digests: Uint8Array;
}

/** A file that a thread could not digest. */
export interface FaultyFile {
  /** Its place among the names. */
  readonly index: number;
  /** Why. */
  readonly fault: DigestFault;
}

/** What a thread does with a job. */
export interface DigestTask {
  /** The job. */
  readonly job: DigestJob;
  /** Which of the threads it is; 0 is the main one. */
  readonly thread: number;
}

/** How a thread's share of a job ended. */
export interface DigestAnswer {
  /** The files that it could not digest. */
  readonly faults: readonly FaultyFile[];
  /** What broke it, where something did that is no file's fault. */
  readonly failure: string | null;
}
