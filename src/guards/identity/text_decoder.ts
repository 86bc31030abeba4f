/** Takes a character and where it starts, in bytes. */
type TakeCharacter = (codePoint: number, offset: number) => void;

/** What stands for bytes that are no character. */
const REPLACEMENT = 0xfffd;
const LEAST_BY_LENGTH: readonly number[] = [0, 0, 0x80, 0x800, 0x10000];

/** Decodes UTF-8 byte by byte, telling where each character starts. */
export class Utf8Decoder {
  readonly #take: TakeCharacter;
  #codePoint = 0;
  #missing = 0;
  #length = 0;
  #start = 0;

  /** @param take Is called with each character */
  constructor(take: TakeCharacter) {
    this.#take = take;
  }

  /** Whether a character has begun and not ended. */
  get isOpen(): boolean {
    return this.#missing > 0;
  }

  /** Takes the next byte. */
  push(byte: number, offset: number): void {
    if (this.#missing > 0 && (byte & 0xc0) === 0x80) {
      this.#codePoint = (this.#codePoint << 6) | (byte & 0x3f);
      if (--this.#missing === 0) this.#take(this.#checked(), this.#start);
      return;
    }
    this.end();
    if (byte < 0x80) this.#take(byte, offset);
    else this.#lead(byte, offset);
  }

  /** Takes the end of the bytes. */
  end(): void {
    if (this.#missing > 0) this.#take(REPLACEMENT, this.#start);
    this.#missing = 0;
  }

  #lead(byte: number, offset: number): void {
    this.#length = byte >= 0xf8 || byte < 0xc0 ? 0 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (this.#length === 0) return this.#take(REPLACEMENT, offset);
    this.#missing = this.#length - 1;
    this.#codePoint = byte & (0x7f >> this.#length);
    this.#start = offset;
  }

  #checked(): number {
    const point = this.#codePoint;
    const isSurrogate = point >= 0xd800 && point < 0xe000;
    const isShortest = point >= (LEAST_BY_LENGTH[this.#length] ?? 0);
    return isShortest && !isSurrogate && point <= 0x10ffff ? point : REPLACEMENT;
  }
}

/** Decodes UTF-16 byte by byte, telling where each character starts. */
export class Utf16Decoder {
  readonly #take: TakeCharacter;
  readonly #isLittle: boolean;
  #first = -1;
  #lead = -1;

  /**
   * @param isLittle Whether the low byte comes first
   * @param take Is called with each character
   */
  constructor(isLittle: boolean, take: TakeCharacter) {
    this.#isLittle = isLittle;
    this.#take = take;
  }

  /** Takes the next byte. */
  push(byte: number, offset: number): void {
    if (this.#first < 0) {
      this.#first = byte;
      return;
    }
    const unit = this.#isLittle ? (byte << 8) | this.#first : (this.#first << 8) | byte;
    this.#first = -1;
    this.#pushUnit(unit, offset - 1);
  }

  #pushUnit(unit: number, offset: number): void {
    const lead = this.#lead;
    this.#lead = -1;
    if (unit >= 0xd800 && unit < 0xdc00) {
      this.#lead = unit;
    } else if (unit >= 0xdc00 && unit < 0xe000) {
      this.#take(
        lead < 0 ? REPLACEMENT : 0x10000 + ((lead - 0xd800) << 10) + unit - 0xdc00,
        lead < 0 ? offset : offset - 2,
      );
    } else {
      this.#take(unit, offset);
    }
  }
}
