/**
 * The command line of kprov: the entry of `deno run cli.ts` and of the compiled binary.
 *
 * @module
 */

import { main } from "./src/commands/main.ts";
import { PROCESS_HOST } from "./src/io/host.ts";

if (import.meta.main) Deno.exit(await main(Deno.args, PROCESS_HOST));
