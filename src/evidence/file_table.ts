import type { FileDescriptor, FileKind } from "./provenance.ts";

/** A file as runs name it. */
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

/** The 32-bit words of a digest. */
const WORDS = 8;

/** A file, in the form in which it is compared: the number of its name with its kind, and its digest. */
interface Entry {
  readonly key: number;
  readonly words: Uint32Array;
}

/** The highest bit of a key tells a link from a file. */
const LINK = 0x80000000;

/**
 * Gives each file, told apart by name, kind and digest, a number. A file takes some 40 bytes, an object
 * several times as much.
 */
export class FileTable {
  readonly #names: string[] = [];
  readonly #nameIds = new Map<string, number>();
  readonly #keys: Uint32Array[] = [];
  readonly #digests: Uint32Array[] = [];
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
    let slot = hash(entry.words[0] ?? 0, entry.key) & mask;
    for (let id = this.#slots[slot] ?? 0; id > 0; id = this.#slots[slot] ?? 0) {
      if (this.#keyOf(id - 1) === entry.key && this.#hasDigest(id - 1, entry.words)) break;
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

  #append({ key, words }: Entry): number {
    const id = this.#size++;
    const at = id & (BLOCK - 1);
    if (at === 0) {
      this.#keys.push(new Uint32Array(BLOCK));
      this.#digests.push(new Uint32Array(BLOCK * WORDS));
    }
    this.#keys[id >>> BITS]?.fill(key, at, at + 1);
    this.#digests[id >>> BITS]?.set(words, at * WORDS);
    return id;
  }

  #keyOf(id: number): number {
    return this.#keys[id >>> BITS]?.[id & (BLOCK - 1)] ?? 0;
  }

  #wordOf(id: number, place: number): number {
    return this.#digests[id >>> BITS]?.[(id & (BLOCK - 1)) * WORDS + place] ?? 0;
  }

  #hasDigest(id: number, words: Uint32Array): boolean {
    for (let i = 0; i < WORDS; i++) if (this.#wordOf(id, i) !== words[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#size; id++) {
      let slot = hash(this.#wordOf(id, 0), this.#keyOf(id)) & mask;
      while ((slots[slot] ?? 0) > 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }

  /** The number of a file's name. */
  nameIdOf(id: number): number {
    return this.#keyOf(id) & ~LINK;
  }

  /** A name by its number. */
  nameOf(nameId: number): string {
    return this.#names[nameId] ?? "";
  }

  /** A file by its number. */
  fileOf(id: number): LineageFile {
    let sha256 = "";
    for (let i = 0; i < WORDS; i++) sha256 += this.#wordOf(id, i).toString(16).padStart(8, "0");
    const kind = this.#keyOf(id) >= LINK ? "symlink" : "file";
    return { name: this.nameOf(this.nameIdOf(id)), kind, sha256 };
  }

  /** The numbers of all files of some content, whatever their names. */
  findContent({ kind, sha256 }: Pick<LineageFile, "kind" | "sha256">): number[] {
    const words = parseDigest(sha256);
    const found: number[] = [];
    for (let id = 0; id < this.#size; id++) {
      if (this.#hasDigest(id, words) && this.#keyOf(id) >= LINK === (kind === "symlink")) {
        found.push(id);
      }
    }
    return found;
  }
}

function makeEntry(nameId: number, kind: FileKind, sha256: string): Entry {
  return { key: kind === "file" ? nameId : (nameId | LINK) >>> 0, words: parseDigest(sha256) };
}

function parseDigest(hex: string): Uint32Array {
  const words = new Uint32Array(WORDS);
  for (let i = 0; i < WORDS; i++) words[i] = parseInt(hex.slice(8 * i, 8 * i + 8), 16);
  return words;
}

/** A place for a file, spread evenly also where digests or names follow each other (MurmurHash3's end). */
function hash(word: number, key: number): number {
  let mixed = Math.imul(word, 0x85ebca6b) ^ key;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
