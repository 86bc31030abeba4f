import type { PolicyFile } from "../gather/policy_file.ts";
import { KprovError } from "../kprov_error.ts";
import { isDenoInRange, SUPPORTED_DENO } from "../supported_deno.ts";

/**
 * Refuses a Deno outside the range in force: the policy's, where there is one, else the built-in.
 *
 * @param policy The repository's policy
 * @returns What run_summary.json records of it
 * @throws {KprovError} `runtime`, naming the range and how to get a Deno inside it
 */
export function checkRuntime(
  policy: PolicyFile | null,
): { readonly range: string; readonly satisfied: boolean } {
  const range = policy?.policy.runtime?.deno ?? SUPPORTED_DENO;
  checkDeno(
    range,
    policy?.policy.runtime?.deno === undefined
      ? "the supported range"
      : `the range of ${policy.path}`,
  );
  return { range, satisfied: true };
}

/**
 * Refuses a Deno outside a range.
 *
 * @param range The range
 * @param origin Whose it is, for the message
 * @throws {KprovError} `runtime`, naming the range and how to get a Deno inside it
 */
export function checkDeno(range: string, origin: string): void {
  if (isDenoInRange(Deno.version.deno, range)) return;
  throw new KprovError(
    "runtime",
    `Cannot run on Deno ${Deno.version.deno}: ${origin} is ${range}`,
    {
      hint:
        "npx -y deno@VERSION runs any version of Deno from npm; deno upgrade VERSION installs one",
    },
  );
}
