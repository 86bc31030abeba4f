import fc from "fast-check";

/** Any text that JavaScript can hold, halves of surrogate pairs among it, with markup mixed in. */
export const ANY_TEXT: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0, max: 0x7f }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom("</", "<!--", "-->", "]]>", "&#", "\u202e", "\u2066", "\ud83d\ude00"),
    ),
    { minLength: 1 },
  )
  .map((parts) => parts.join(""));
