/**
 * The door for Stryker's instrumenter, which puts mutants into TypeScript. Only `deno task mutate` uses
 * it: tests/deno.lock pins it, and deno.lock, with which kprov ships, does not.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix
export { Instrumenter } from "npm:@stryker-mutator/instrumenter@10.1.1";
