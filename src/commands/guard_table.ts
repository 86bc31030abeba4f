import { ARTIFACTS } from "../guards/artifacts/artifacts.ts";
import type { Guard } from "../guards/facts.ts";
import { IDENTITY } from "../guards/identity/identity.ts";
import { PARITY } from "../guards/parity/parity.ts";
import { LOCK } from "../guards/lock/lock.ts";
import type { Policy } from "../guards/policy.ts";
import { RUNTIME } from "../guards/runtime/runtime.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";

/** Every guard, in the order in which they are shown. */
export const GUARDS: readonly Guard[] = [IDENTITY, ARTIFACTS, RUNTIME, PARITY, LOCK];

/**
 * Chooses the guards to run: those named, or every one that the policy configures.
 *
 * @param names As given on the command line
 * @param policy The rules
 * @throws {KprovError} `usage` on a name that no guard has; `policy` where a named guard has no
 * section, or no guard has one: nothing checked is not the same as nothing found
 */
export function chooseGuards(names: readonly string[], policy: Policy): readonly Guard[] {
  if (names.length > 0) return [...new Set(names)].map((name) => chooseGuard(name, policy));
  const configured = GUARDS.filter((guard) => guard.isConfigured(policy));
  if (configured.length > 0) return configured;
  throw new KprovError("policy", "Cannot guard: the policy configures no guard", {
    hint: `its sections are ${listNames()}`,
  });
}

function chooseGuard(name: string, policy: Policy): Guard {
  const guard = GUARDS.find((candidate) => candidate.name === name);
  if (guard === undefined) {
    throw new KprovError("usage", `Cannot use guard ${quote(name)}: there is none of that name`, {
      hint: `the guards are ${listNames()}`,
    });
  }
  if (guard.isConfigured(policy)) return guard;
  throw new KprovError(
    "policy",
    `Cannot use guard ${quote(name)}: the policy has no section for it`,
    {
      hint: `add /${name} to the policy`,
    },
  );
}

function listNames(): string {
  return GUARDS.map(({ name }) => name).join(", ");
}
