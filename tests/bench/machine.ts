import { KPROV_VERSION } from "../../src/base/std.ts";

/**
 * Describes the machine and what runs on it, as lines of a list.
 *
 * @param versions What the peers say of themselves, by their names; null where one is missing
 */
export async function describeMachine(
  versions: ReadonlyMap<string, string | null>,
): Promise<readonly string[]> {
  const memory = (Deno.systemMemoryInfo().total / 2 ** 30).toFixed(0);
  return [
    `- ${new Date().toISOString().slice(0, 10)}`,
    `- ${await readProcessor()}, ${navigator.hardwareConcurrency} cores, ${memory} GiB`,
    `- ${Deno.build.os} ${Deno.osRelease()}, ${Deno.build.arch}`,
    `- kprov ${KPROV_VERSION}, Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    ...[...versions].map(([name, version]) => `- ${name}: ${version ?? "missing"}`),
  ];
}

const UNKNOWN = "a processor that does not tell its name";

/** By a program: Deno opens /proc for nothing less than every permission. */
async function readProcessor(): Promise<string> {
  try {
    const { stdout } = await new Deno.Command("cat", { args: ["/proc/cpuinfo"] }).output();
    return /^model name\s*: (.+)$/m.exec(new TextDecoder().decode(stdout))?.[1] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}
