/**
 * The door for sigstore's libraries; see fast_check.ts. They sign with a key at hand: nothing here
 * reaches a network.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix
export { DSSEBundleBuilder } from "npm:@sigstore/sign@5.1.0";
// deno-lint-ignore no-import-prefix
export type { Signer } from "npm:@sigstore/sign@5.1.0";
// deno-lint-ignore no-import-prefix
export { bundleFromJSON, bundleToJSON } from "npm:@sigstore/bundle@5.0.1";
// deno-lint-ignore no-import-prefix
export { toSignedEntity, Verifier } from "npm:@sigstore/verify@4.1.3";
