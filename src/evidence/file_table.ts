import type { FileDescriptor, FileKind } from "./provenance.ts";

/** A file as runs name it; see {@linkcode traceFile}. */
export interface LineageFile {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly kind: FileKind;
  /** Digest of its bytes; of a link, of its target's text. */
  readonly sha256: string;
}

/** The files of a block: memory grows by blocks, so that nothing is ever copied. */
const BLOCK = 2 ** 16;
const BITS = 16;

/** The bytes of a file's entry: the digest, the number of its name, its kind. */
const ENTRY = 37;
const NAME_AT = 32;
const KIND_AT = 36;

/**
 * Gives each file, told apart by name, kind and digest, a number. Ten million files take 50 bytes
 * each, which objects would take several times.
 */
export class FileTable {
  readonly #names: string[] = [];
  readonly #nameIds = new Map<string, number>();
  readonly #blocks: DataView[] = [];
  #slots = new Uint32Array(1024);
  #size = 0;

  /** How many files there are. */
  get size(): number {
    return this.#size;
  }

  /** How many names there are. */
  get nameCount(): number {
    return this.#names.length;
  }

  /**
   * The number of a file, a new one where it is not known.
   *
   * @param file The file
   */
  intern({ name, digest, annotations }: FileDescriptor): number {
    if (this.#size * 4 >= this.#slots.length * 3) this.#grow();
    const entry = makeEntry(this.#internName(name), annotations.kind, digest.sha256);
    const slot = this.#findSlot(entry);
    const known = this.#slots[slot] ?? 0;
    if (known > 0) return known - 1;
    this.#slots[slot] = this.#size + 1;
    return this.#append(entry);
  }

  /**
   * The number of a file, or null where it is not known.
   *
   * @param file The file
   */
  find({ name, kind, sha256 }: LineageFile): number | null {
    const nameId = this.#nameIds.get(name);
    if (nameId === undefined) return null;
    const known = this.#slots[this.#findSlot(makeEntry(nameId, kind, sha256))] ?? 0;
    return known > 0 ? known - 1 : null;
  }

  /** The number of a name, or null where no file has it. */
  findName(name: string): number | null {
    return this.#nameIds.get(name) ?? null;
  }

  /** Where an entry stands, or where it would be put. */
  #findSlot(entry: Entry): number {
    const mask = this.#slots.length - 1;
    let slot = hash(entry.words[0] ?? 0, entry.nameId) & mask;
    for (let id = this.#slots[slot] ?? 0; id > 0; id = this.#slots[slot] ?? 0) {
      if (this.#isAt(id - 1, entry)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #internName(name: string): number {
    const known = this.#nameIds.get(name);
    if (known !== undefined) return known;
    this.#nameIds.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  #append({ words, nameId, kind }: Entry): number {
    const id = this.#size++;
    if ((id & (BLOCK - 1)) === 0) {
      this.#blocks.push(new DataView(new ArrayBuffer(BLOCK * ENTRY)));
    }
    const [block, at] = this.#locate(id);
    for (let i = 0; i < 8; i++) block.setUint32(at + 4 * i, words[i] ?? 0);
    block.setUint32(at + NAME_AT, nameId);
    block.setUint8(at + KIND_AT, kind);
    return id;
  }

  #isAt(id: number, { words, nameId, kind }: Entry): boolean {
    const [block, at] = this.#locate(id);
    return block.getUint32(at + NAME_AT) === nameId && block.getUint8(at + KIND_AT) === kind &&
      hasDigest(block, at, words);
  }

  #locate(id: number): [block: DataView, at: number] {
    const block = this.#blocks[id >>> BITS];
    if (block === undefined) throw new RangeError(`There is no file ${id}`);
    return [block, (id & (BLOCK - 1)) * ENTRY];
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      const [block, at] = this.#locate(id);
      let slot = hash(block.getUint32(at), block.getUint32(at + NAME_AT)) & mask;
      while ((slots[slot] ?? 0) > 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }

  /** The number of a file's name. */
  nameIdOf(id: number): number {
    const [block, at] = this.#locate(id);
    return block.getUint32(at + NAME_AT);
  }

  /** A name by its number. */
  nameOf(nameId: number): string {
    return this.#names[nameId] ?? "";
  }

  /** A file by its number. */
  fileOf(id: number): LineageFile {
    const [block, at] = this.#locate(id);
    let sha256 = "";
    for (let i = 0; i < 8; i++) {
      sha256 += block.getUint32(at + 4 * i).toString(16).padStart(8, "0");
    }
    const name = this.nameOf(block.getUint32(at + NAME_AT));
    return { name, kind: block.getUint8(at + KIND_AT) === 0 ? "file" : "symlink", sha256 };
  }

  /** The numbers of all files of some content, whatever their names. */
  findContent({ kind, sha256 }: Pick<LineageFile, "kind" | "sha256">): number[] {
    const words = parseDigest(sha256);
    const found: number[] = [];
    for (let id = 0; id < this.#size; id++) {
      const [block, at] = this.#locate(id);
      const isKind = block.getUint8(at + KIND_AT) === (kind === "file" ? 0 : 1);
      if (isKind && hasDigest(block, at, words)) found.push(id);
    }
    return found;
  }
}

/** A file, in the form in which it is compared. */
interface Entry {
  readonly nameId: number;
  readonly kind: number;
  readonly words: Uint32Array;
}

function makeEntry(nameId: number, kind: FileKind, sha256: string): Entry {
  return { nameId, kind: kind === "file" ? 0 : 1, words: parseDigest(sha256) };
}

function hasDigest(block: DataView, at: number, words: Uint32Array): boolean {
  for (let i = 0; i < 8; i++) if (block.getUint32(at + 4 * i) !== words[i]) return false;
  return true;
}

function parseDigest(hex: string): Uint32Array {
  const words = new Uint32Array(8);
  for (let i = 0; i < 8; i++) words[i] = parseInt(hex.slice(8 * i, 8 * i + 8), 16);
  return words;
}

/** Digests are spread evenly already; the number of the name tells files of one content apart. */
function hash(word: number, nameId: number): number {
  return (word ^ Math.imul(nameId, 0x9e3779b1)) >>> 0;
}
