/**
 * The door for Ajv, which deno.json maps its name to; see fast_check.ts.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix
export * from "npm:ajv@8.20.0/dist/2020.js";
// deno-lint-ignore no-import-prefix
export { default } from "npm:ajv@8.20.0/dist/2020.js";
