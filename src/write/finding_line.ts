import type { Finding } from "../finding.ts";
import { escapeText, showName } from "../quote.ts";

/**
 * A finding in one line for people.
 *
 * @param finding The finding
 * @returns Such as `data/a.csv: file.missing: the input is not there any more`
 */
export function renderFindingLine({ path, line, code, message }: Finding): string {
  const place = path === null ? "" : `${showName(path)}${line === null ? "" : `:${line}`}: `;
  return `${place}${escapeText(`${code}: ${message}`)}`;
}
