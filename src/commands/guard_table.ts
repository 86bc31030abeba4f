import type { Guard } from "../guards/facts.ts";
import type { Policy } from "../guards/policy.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";

/** A guard that is not loaded yet. */
interface ListedGuard {
  /** Its name, which is also that of its section in the policy. */
  readonly name: "identity" | "artifacts" | "runtime" | "parity" | "lock";
  /** Loads it, and the parsers that it needs. */
  readonly load: () => Promise<Guard>;
}

/** Every guard, in the order in which they are shown. */
export const GUARDS: readonly ListedGuard[] = [
  {
    name: "identity",
    load: async () => (await import("../guards/identity/identity.ts")).IDENTITY,
  },
  {
    name: "artifacts",
    load: async () => (await import("../guards/artifacts/artifacts.ts")).ARTIFACTS,
  },
  {
    name: "runtime",
    load: async () => (await import("../guards/runtime/runtime.ts")).RUNTIME,
  },
  {
    name: "parity",
    load: async () => (await import("../guards/parity/parity.ts")).PARITY,
  },
  {
    name: "lock",
    load: async () => (await import("../guards/lock/lock.ts")).LOCK,
  },
];

/**
 * Chooses the guards to run: those named, or every one that the policy configures.
 *
 * @param names As given on the command line
 * @param policy The rules
 * @throws {KprovError} `usage` on a name that no guard has; `policy` where a named guard has no
 * section, or no guard has one: nothing checked is not the same as nothing found
 */
export async function chooseGuards(
  names: readonly string[],
  policy: Policy,
): Promise<readonly Guard[]> {
  if (names.length > 0) {
    const chosen: Guard[] = [];
    // One by one: of several faults, the first is told.
    for (const name of new Set(names)) chosen.push(await chooseGuard(name, policy));
    return chosen;
  }
  const listed = GUARDS.filter(({ name }) => policy[name] !== undefined);
  const loaded = await Promise.all(listed.map(({ load }) => load()));
  const configured = loaded.filter((guard) => guard.isConfigured(policy));
  if (configured.length > 0) return configured;
  throw new KprovError("policy", "Cannot guard: the policy configures no guard", {
    hint: `its sections are ${listNames()}`,
  });
}

async function chooseGuard(name: string, policy: Policy): Promise<Guard> {
  const listed = GUARDS.find((candidate) => candidate.name === name);
  if (listed === undefined) {
    throw new KprovError("usage", `Cannot use guard ${quote(name)}: there is none of that name`, {
      hint: `the guards are ${listNames()}`,
    });
  }
  const guard = await listed.load();
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
