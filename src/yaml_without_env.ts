/**
 * The door for the YAML library, which deno.json maps this name to. In its build for Node the library
 * looks at `process.env` for two debugging switches of its own, at every token; no option turns that
 * off, and without `--allow-env`, for which kprov does not ask, the look throws. Here it finds an empty
 * environment, so that what parses YAML is a pure function. The library's build for browsers, which
 * the published package holds, never looks, but its package names no path to it.
 *
 * @module
 */

import nodeProcess from "node:process";
import {
  Composer,
  type CST,
  type Document,
  type DocumentOptions,
  type ParseOptions,
  Parser,
  type SchemaOptions,
} from "yaml";

export {
  type Alias,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  type Scalar,
  visit,
} from "yaml";

/**
 * Splits a text into tokens.
 *
 * @param text The text
 * @param onNewLine Gets the offset at which each line starts
 */
export function parseTokens(text: string, onNewLine: (offset: number) => void): CST.Token[] {
  return withoutEnvironment(() => [...new Parser(onNewLine).parse(text)]);
}

/**
 * Makes documents of tokens.
 *
 * @param tokens What {@linkcode parseTokens} gave
 * @param options As the library's `Composer` takes them
 */
export function composeDocuments(
  tokens: readonly CST.Token[],
  options: ParseOptions & DocumentOptions & SchemaOptions,
): Document.Parsed[] {
  return withoutEnvironment(() => [...new Composer(options).compose(tokens)]);
}

/** Runs a function while `process.env` is an empty object. */
function withoutEnvironment<T>(run: () => T): T {
  const own = Object.getOwnPropertyDescriptor(nodeProcess, "env");
  Object.defineProperty(nodeProcess, "env", {
    value: {},
    configurable: true,
    writable: true,
    enumerable: true,
  });
  try {
    return run();
  } finally {
    if (own === undefined) Reflect.deleteProperty(nodeProcess, "env");
    else Object.defineProperty(nodeProcess, "env", own);
  }
}
