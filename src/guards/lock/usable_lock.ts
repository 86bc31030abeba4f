import { describeLockFault } from "./build_governance_lock.ts";
import type { LockReading } from "./governance_facts.ts";

/**
 * Takes a lock for invalid that contradicts itself.
 *
 * @param reading The lock as it was found
 */
export function usableLock(reading: LockReading): LockReading {
  if (reading.state !== "read") return reading;
  const reason = describeLockFault(reading.lock);
  return reason === null ? reading : { state: "invalid", reason };
}
