import { KprovError } from "../base/error.ts";
import { quote, shellQuote } from "../base/quote.ts";
import type { Permissions, PermissionState } from "../evidence/run_summary.ts";

/**
 * Demands a permission before the call that needs it. Asking first is what keeps kprov from ever
 * prompting: Deno prompts on a terminal where a call meets a permission that was neither granted
 * nor denied.
 *
 * @param kind What is to be done
 * @param path With what
 * @throws {KprovError} `permission`, naming the flag that grants it; `data`, or `cannot_create` where it
 * is to be written, where no flag but one for everything would
 */
export function requirePermission(kind: "read" | "write", path: string): void {
  const verb = kind === "read" ? "read" : "write to";
  if (isClosedPath(path) && !isEverythingPermitted()) {
    const code = kind === "read" ? "data" : "cannot_create";
    throw refuseSystemPath(`Cannot ${verb} ${quote(path)}`, { code });
  }
  if (isPermitted(kind, path)) return;
  throw new KprovError(
    "permission",
    `Cannot ${verb} ${quote(path)}: Deno's ${kind} permission is missing`,
    {
      hint: `run with ${permissionFlag(kind, path)}`,
    },
  );
}

/**
 * Demands the permission to look at the place of something that is to be written.
 *
 * @param path What is to be written
 * @throws {KprovError} as {@linkcode requirePermission} does for writing where no flag helps, else as
 * for reading
 */
export function requireOutputPlace(path: string): void {
  if (isClosedPath(path)) requirePermission("write", path);
  requirePermission("read", path);
}

/**
 * Demands the permission to start a program, before anything is done for it.
 *
 * @param program Its name in PATH, or its path
 * @param given As the user wrote it
 * @throws {KprovError} `permission`, naming the narrowest flag that grants it
 */
export function requireRun(program: string, given: string): void {
  if (isRunPermitted(program)) return;
  throw new KprovError(
    "permission",
    `Cannot run ${quote(given)}: Deno's run permission is missing`,
    { hint: `run with --allow-run=${shellQuote(given)}` },
  );
}

/**
 * Demands the permission to start a program whose path cannot be named in advance.
 *
 * @param path Its path
 * @param given As the user knows it
 * @throws {KprovError} `permission`
 */
export function requireAnyRun(path: string, given: string): void {
  if (isRunPermitted(path)) return;
  throw new KprovError(
    "permission",
    `Cannot run a copy of ${quote(given)}: Deno's run permission is missing`,
    { hint: "run with --allow-run" },
  );
}

/**
 * Says why Deno does not start a program that it was permitted to start: under anything but the full
 * permission it starts nothing with LD_PRELOAD and its kin in the environment.
 *
 * @param given The program, as the user wrote it
 * @param error What Deno threw
 */
export function refuseRun(given: string, error: Error): KprovError {
  const variable = /with ((?:LD|DYLD)_[A-Z_]+) environment variable/.exec(error.message)?.[1];
  const hint = variable === undefined ? "" : `unset ${variable}, or `;
  return new KprovError(
    "permission",
    `Cannot run ${quote(given)}: Deno's run permission is missing`,
    { hint: `${hint}run with --allow-run`, cause: error },
  );
}

/** Whether Deno would let a program be started without asking. */
export function isRunPermitted(program: string): boolean {
  return program !== "" &&
    Deno.permissions.querySync({ name: "run", command: program }).state === "granted";
}

/**
 * Demands the permission to read an environment variable.
 *
 * @param variable Its name
 * @param action What it is needed for, such as `Cannot record variable "LANG"`
 * @throws {KprovError} `permission`, naming the flag that grants it
 */
export function requireEnv(variable: string, action: string): void {
  if (Deno.permissions.querySync({ name: "env", variable }).state === "granted") return;
  throw new KprovError("permission", `${action}: Deno's env permission is missing`, {
    hint: `run with --allow-env=${shellQuote(variable)}`,
  });
}

/** Why nothing of the system's own directories is used, to be read after a colon. */
export const ON_NO_DISK =
  "it is in, or leads to, a part of the system that no disk holds, such as /proc";

/**
 * Whether Deno opens a path under `--allow-all` alone, which kprov never asks for. A link may lead
 * to such a path; {@linkcode isClosedError} tells then. Deno 2.8.2 opens some of them under less:
 * they are refused there too, so that the answer is the same on every Deno.
 *
 * @param path The path, absolute
 */
export function isClosedPath(path: string): boolean {
  return /^\/(?:dev|proc|sys)(?:\/|$)/.test(path) &&
    !/^\/dev\/(?:null|zero|u?random)$/.test(path);
}

function isEverythingPermitted(): boolean {
  const kinds = ["read", "write", "run", "env", "net", "sys", "ffi"] as const;
  return kinds.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}

/** Whether Deno threw an error because it opens the path under `--allow-all` alone. */
export function isClosedError(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable && /^Requires all access/.test(error.message);
}

/** Whether Linux makes up what a path holds each time that it is read, so that no permission helps. */
export function isMadeUp(path: string): boolean {
  return Deno.build.os === "linux" && /^\/(?:proc|sys)(?:\/|$)/.test(path);
}

/**
 * Makes the error of a path that is closed or made up.
 *
 * @param action What failed, with the name quoted
 * @param options `code`, `cannot_create` where it is to be written, and what was thrown, if anything
 */
export function refuseSystemPath(
  action: string,
  { code = "data", cause }: { code?: "data" | "cannot_create"; cause?: unknown } = {},
): KprovError {
  const hint = code === "data" ? "use a copy in another directory" : "use another directory";
  return new KprovError(code, action, { reason: ON_NO_DISK, hint, cause });
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
  return `--allow-${kind}=${shellQuote(path)}`;
}

/** What a run used its permissions for. */
export interface UsedPermissions {
  /** A path that was read. */
  readonly read: string;
  /** A path that was written. */
  readonly write: string;
  /** A program that was started. */
  readonly run?: string;
  /** An environment variable that was looked at. */
  readonly env?: string;
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
    run: stateOf(
      { name: "run" },
      used.run === undefined ? undefined : { name: "run", command: used.run },
    ),
    net: stateOf({ name: "net" }),
    env: stateOf({ name: "env" }, { name: "env", variable: used.env ?? "SOURCE_DATE_EPOCH" }),
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
