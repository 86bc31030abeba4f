import type { Permissions, PermissionState } from "../evidence/run_summary.ts";
import { KprovError } from "../kprov_error.ts";
import { escapeText, quote } from "../quote.ts";

/**
 * Demands a permission before the call that needs it. Asking first is what keeps kprov from ever
 * prompting: Deno prompts on a terminal where a call meets a permission that was neither granted
 * nor denied.
 *
 * @param kind What is to be done
 * @param path With what
 * @throws {KprovError} `permission`, naming the flag that grants it
 */
export function requirePermission(kind: "read" | "write", path: string): void {
  if (isPermitted(kind, path)) return;
  const verb = kind === "read" ? "read" : "write to";
  throw new KprovError(
    "permission",
    `Cannot ${verb} ${quote(path)}: Deno's ${kind} permission is missing`,
    {
      hint: `run with ${permissionFlag(kind, path)}`,
    },
  );
}

/** Whether Deno would let a call through without asking. */
export function isPermitted(kind: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name: kind, path }).state === "granted";
}

/**
 * The narrowest flag that grants a permission.
 *
 * @param kind The permission
 * @param path For what
 */
export function permissionFlag(kind: "read" | "write", path: string): string {
  return `--allow-${kind}=${escapeText(path)}`;
}

/**
 * Demands the permission to start a program; see {@linkcode requirePermission}.
 *
 * @param program Its name or path
 * @throws {KprovError} `permission`, naming the flag that grants it
 */
export function requireRunPermission(program: string): void {
  if (Deno.permissions.querySync({ name: "run", command: program }).state === "granted") return;
  throw new KprovError(
    "permission",
    `Cannot start ${quote(program)}: Deno's run permission is missing`,
    { hint: `run with --allow-run=${escapeText(program)}` },
  );
}

/** What a run used its permissions for. */
export interface UsedPermissions {
  /** A path that was read. */
  readonly read: string;
  /** A path that was written. */
  readonly write: string;
}

/**
 * Reads the permissions that kprov runs with. Deno tells whether a permission holds for everything
 * or for one named thing, not for which things; a permission that holds for what the run used, but
 * not for everything, is `partial`.
 *
 * @param used What the run used its permissions for
 */
export function gatherPermissions(used: UsedPermissions): Permissions {
  return {
    read: stateOf({ name: "read" }, { name: "read", path: used.read }),
    write: stateOf({ name: "write" }, { name: "write", path: used.write }),
    run: stateOf({ name: "run" }),
    net: stateOf({ name: "net" }),
    env: stateOf({ name: "env" }, { name: "env", variable: "SOURCE_DATE_EPOCH" }),
  };
}

function stateOf(
  all: Deno.PermissionDescriptor,
  one: Deno.PermissionDescriptor = all,
): PermissionState {
  const status = Deno.permissions.querySync(all);
  if (status.state === "granted") return status.partial ? "partial" : "granted";
  return Deno.permissions.querySync(one).state === "granted" ? "partial" : "denied";
}
