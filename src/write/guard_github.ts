import type { Finding } from "../finding.ts";
import type { GuardResult } from "../guards/guard_result.ts";
import { escapeText } from "../quote.ts";

const COMMANDS: Readonly<Record<Finding["level"], string>> = { error: "error", note: "notice" };

/**
 * The results as workflow commands of GitHub Actions, which shows each finding as an annotation at
 * its place; nothing where there is nothing to annotate.
 *
 * @param results What the guards found, in the order to show
 * @returns A line for each finding
 */
export function renderGuardGithub(results: readonly GuardResult[]): string {
  return results.flatMap(({ findings }) => findings.map((finding) => `${renderCommand(finding)}\n`))
    .join("");
}

function renderCommand({ level, code, path, line, column, message, hint }: Finding): string {
  const properties = Object.entries({
    file: path,
    line: path === null ? null : line,
    col: path === null || line === null ? null : column,
    title: code,
  }).flatMap(([name, value]) => value === null ? [] : [`${name}=${escapeProperty(`${value}`)}`]);
  const lines = hint === null ? [message] : [message, `hint: ${hint}`];
  return `::${COMMANDS[level]} ${properties.join(",")}::${escapeData(lines)}`;
}

/** Escapes the lines of a message; the runner undoes what is written with `%`. */
function escapeData(lines: readonly string[]): string {
  return lines.map((line) => escapeText(line).replaceAll("%", "%25")).join("%0A");
}

/** Escapes a property's value, which ends at a comma or a colon; a path stays the one that it is. */
function escapeProperty(value: string): string {
  return escapeText(
    value.replaceAll("%", "%25").replaceAll(":", "%3A").replaceAll(",", "%2C"),
  );
}
