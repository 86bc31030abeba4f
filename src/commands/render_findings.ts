import type { GuardResult } from "../guards/guard_result.ts";
import { KprovError } from "../kprov_error.ts";

/**
 * Renders what guards found, where one text can hold it.
 *
 * @param render Makes the text
 * @param results What the guards found
 * @throws {KprovError} `data` where it would be longer than a text can be, after some millions of
 * findings
 */
export function renderFindings(
  render: (results: readonly GuardResult[]) => string,
  results: readonly GuardResult[],
): string {
  try {
    return render(results);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const count = results.reduce((sum, { findings }) => sum + findings.length, 0);
    throw new KprovError("data", `Cannot show ${count} findings: one text cannot hold them`, {
      hint: "name one guard, or correct the rule of the policy that is broken everywhere",
      cause: error,
    });
  }
}
