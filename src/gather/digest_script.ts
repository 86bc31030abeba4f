import file from "./digest_file.js" with { type: "text" };
import read from "../system/read_file.js" with { type: "text" };
import share from "./digest_share.js" with { type: "text" };

/**
 * The worker that digests files, as a text that imports nothing but built-in modules. Its types are
 * checked where it stands as modules and not again for every worker, so what names their module,
 * which Deno 2.8 would look for beside the text, is not part of it.
 */
export const DIGEST_SCRIPT: string = [
  "// @ts-nocheck",
  ...[read, file, share].map((text) =>
    text.replace(/^(?:\/\/ @ts-check|import [^;]*"\.\.?\/[^"]*";|\/\*\* @import .*)$/gm, "")
  ),
  "globalThis.onmessage = answerTask;\n",
].join("\n");
