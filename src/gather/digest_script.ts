import text from "./digest_share.js" with { type: "text" };

/**
 * The worker that digests files, as a text that imports nothing but built-in modules. Its types are
 * checked where it stands as a module and not again for every worker, so what names their module,
 * which Deno 2.8 would look for beside the text, is not part of it.
 */
export const DIGEST_SCRIPT: string = `${
  text
    .replace("// @ts-check\n", "// @ts-nocheck\n")
    .replace(/^\/\*\* @import .* \*\/$/m, "")
}\nglobalThis.onmessage = answerTask;\n`;
