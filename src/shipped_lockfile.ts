import text from "../deno.lock" with { type: "text" };

/** The text of the deno.lock that this kprov shipped with: a checkout's, JSR's or the binary's own. */
export const SHIPPED_LOCKFILE: string = text;
