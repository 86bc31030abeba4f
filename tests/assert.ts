/**
 * The tests' door for `@std/assert`, which comes without types, as `src/base/std.ts` is the door for
 * the rest of the standard library.
 *
 * @module
 */
import {
  assert as stdAssert,
  assertEquals as stdAssertEquals,
  assertMatch as stdAssertMatch,
  assertRejects as stdAssertRejects,
  assertStringIncludes as stdAssertStringIncludes,
  assertThrows as stdAssertThrows,
} from "@std/assert";

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** Fails unless the condition is truthy. */
export const assert: (condition: unknown, message?: string) => asserts condition = stdAssert;

/** Fails unless both are deeply equal. */
export const assertEquals: <T>(actual: T, expected: T, message?: string) => void = stdAssertEquals;

/** Fails unless the text matches. */
export const assertMatch: (actual: string, expected: RegExp, message?: string) => void =
  stdAssertMatch;

/** Fails unless the promise rejects with such an error; returns it. */
export const assertRejects: <E extends Error>(
  run: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
) => Promise<E> = stdAssertRejects;

/** Fails unless the text contains the other. */
export const assertStringIncludes: (actual: string, expected: string, message?: string) => void =
  stdAssertStringIncludes;

/** Fails unless the function throws such an error; returns it. */
export const assertThrows: <E extends Error>(
  run: () => unknown,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
) => E = stdAssertThrows;
