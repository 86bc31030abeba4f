import { type GuardResult, makeGuardResult } from "../guards/guard_result.ts";
import { gatherRepository, type RepositoryRequest } from "../gather/repository.ts";

/**
 * Gathers the facts of a repository once and runs guards over them.
 *
 * @param request Which repository, rules and guards
 * @returns A result for each guard, in their order
 * @throws {KprovError} Where a file that a guard looks at cannot be read
 */
export async function runGuards(request: RepositoryRequest): Promise<GuardResult[]> {
  const facts = await gatherRepository(request);
  return request.guards.map((guard) =>
    makeGuardResult(guard.name, guard.check(facts, request.policy))
  );
}
