/**
 * The door for fast-check, which deno.json maps its name to. Only tests use it: tests/deno.lock pins it,
 * and deno.lock, with which kprov ships, does not.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix
export * from "npm:fast-check@4.10.2";
// deno-lint-ignore no-import-prefix
export { default } from "npm:fast-check@4.10.2";
