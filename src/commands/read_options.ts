import { formatUtcSecond, parseUtcSecond } from "../evidence/run_id.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import type { Host } from "../system/host.ts";
import type { Flag } from "./command.ts";

/** `--at`, as every command that records a time takes it. */
export const AT_FLAG: Flag = {
  name: "at",
  value: "TIME",
  summary: "The time to record, such as 2026-02-15T20:13:00Z",
};

/** `--format`, where a command prints text or JSON. */
export const FORMAT_FLAG: Flag = {
  name: "format",
  value: "FORMAT",
  choices: ["text", "json"],
  summary: "text (default) or json",
};

/**
 * Reads the value of `--format`.
 *
 * @param text As given, or null
 * @throws {KprovError} `usage` on any other
 */
export function readFormat(text: string | null): "text" | "json" {
  if (text === null || text === "text") return "text";
  if (text === "json") return "json";
  throw new KprovError("usage", `Cannot use --format ${quote(text)}: expected text or json`);
}

/**
 * The time to record: as told, else as SOURCE_DATE_EPOCH tells (reproducible-builds.org), else now.
 *
 * @param at The value of `--at`, or null
 * @param host The process
 * @returns A UTC second
 * @throws {KprovError} `usage` where what tells it is no time
 */
export function readTime(at: string | null, host: Host): string {
  if (at !== null) {
    const time = parseUtcSecond(at);
    if (time !== null) return time;
    throw new KprovError(
      "usage",
      `Cannot use --at ${quote(at)}: expected a UTC second that exists`,
      {
        hint: "such as 2026-02-15T20:13:00Z",
      },
    );
  }
  const epoch = host.readEnv("SOURCE_DATE_EPOCH");
  if (epoch === null) return formatUtcSecond(host.now());
  // 253402300799 is the last second of the year 9999.
  if (/^[0-9]{1,12}$/.test(epoch) && Number(epoch) <= 253402300799) {
    return formatUtcSecond(new Date(Number(epoch) * 1000));
  }
  throw new KprovError(
    "usage",
    `Cannot use SOURCE_DATE_EPOCH ${quote(epoch)}: expected seconds since 1970`,
  );
}
