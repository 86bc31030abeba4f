/**
 * The door for axe-core, whose source is run inside pages; see fast_check.ts.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix
export { default } from "npm:axe-core@4.14.1";
