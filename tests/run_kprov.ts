import { fromFileUrl } from "./paths.ts";

const CHECKOUT = fromFileUrl(new URL("../cli.ts", import.meta.url));

/**
 * What the tests start: the bundle that the task made, as users install it, which starts in half the time;
 * the checkout's cli.ts where a test file is run by itself.
 */
export const CLI: string = fromFileUrl(
  new URL(`../${Deno.env.get("KPROV_UNDER_TEST") ?? "cli.ts"}`, import.meta.url),
);

/** How a program ended. */
export interface Ended {
  /** The exit code. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it said. */
  readonly stderr: string;
}

/** How kprov is started. */
export interface KprovOptions {
  /** The working directory. */
  readonly cwd: string;
  /** Deno's permission flags; default: exactly what kprov advertises. */
  readonly permissions?: readonly string[];
  /** Variables to set. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The narrow form of the permissions that a run needs. */
export const NARROW: readonly string[] = ["--allow-read=.", "--allow-write=runs"];

/** The wide form. */
export const WIDE: readonly string[] = ["--allow-read", "--allow-write"];

/**
 * Runs kprov in a process of its own.
 *
 * @param args Its arguments
 * @param options How it is started
 */
export function runKprov(args: readonly string[], options: KprovOptions): Promise<Ended> {
  return run(CLI, args, options);
}

/**
 * Runs the checkout in a process of its own, for what is held against it.
 *
 * @param args Its arguments
 * @param options How it is started
 */
export function runCheckout(args: readonly string[], options: KprovOptions): Promise<Ended> {
  return run(CHECKOUT, args, options);
}

async function run(entry: string, args: readonly string[], options: KprovOptions): Promise<Ended> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...(options.permissions ?? NARROW), entry, ...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...keepCache(options.env ?? {}) },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

let denoDirectory: string | null = null;

/**
 * Variables for a Deno with another home: without its cache it would fetch all packages anew, into a home
 * that may not be there.
 *
 * @param env The variables
 */
export function keepCache(
  env: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (env["HOME"] === undefined) return env;
  if (denoDirectory === null) {
    const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
    denoDirectory = String(JSON.parse(decode(stdout)).denoDir);
  }
  return { DENO_DIR: denoDirectory, ...env };
}

/** UTF-8 to text, strictly. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
