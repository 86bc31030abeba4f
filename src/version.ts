import config from "../deno.json" with { type: "json" };

/** This kprov's version. It stands once, in deno.json. */
export const KPROV_VERSION: string = config.version;
