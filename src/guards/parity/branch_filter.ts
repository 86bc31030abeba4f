import { showText } from "../../base/quote.ts";
import { getYamlValue, textOfScalar, type YamlNode } from "../yaml_node.ts";
import { type Fault, placeOf } from "./place.ts";

/** What an event says of branches. */
interface BranchFilter {
  readonly hasBranches: boolean;
  readonly faults: readonly Fault[];
}

/** Names that the branch has which everything else is merged into. */
const MAIN_BRANCHES = ["main", "master", "trunk"];

/**
 * Checks the filters by branch of one event: at least one branch is named, and none that usually
 * holds the project is left out.
 *
 * @param path The workflow's path
 * @param event The event's settings
 * @param name The event
 */
export function readBranches(path: string, event: YamlNode, name: string): BranchFilter {
  const branches = getYamlValue(event, "branches");
  const ignored = getYamlValue(event, "branches-ignore");
  const faults: Fault[] = [];
  const patterns = branches === null ? [] : listTexts(branches);
  if (branches !== null && !patterns.some((pattern) => !pattern.startsWith("!"))) {
    faults.push({ message: `${name} names no branch`, place: placeOf(path, branches) });
  }
  const excluded = [
    ...patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1)),
    ...(ignored === null ? [] : listTexts(ignored)),
  ];
  const main = excluded.find((pattern) => MAIN_BRANCHES.some((it) => matchesRef(pattern, it)));
  if (main !== undefined) {
    const place = placeOf(path, ignored ?? branches ?? event);
    faults.push({ message: `${name} leaves out the branch ${showText(main)}`, place });
  }
  return { hasBranches: branches !== null || ignored !== null, faults };
}

/**
 * Checks that at least one branch is gated both when it is pushed to and when a pull request asks for
 * it.
 *
 * @param path The workflow's path
 * @param push The settings of push
 * @param pullRequest The settings of pull_request
 */
export function compareBranches(path: string, push: YamlNode, pullRequest: YamlNode): Fault[] {
  const requested = getYamlValue(pullRequest, "branches");
  const pushed = getYamlValue(push, "branches");
  if (requested === null || pushed === null) return [];
  const ours = listPositive(pushed);
  const theirs = listPositive(requested);
  if (ours.length === 0 || theirs.length === 0) return [];
  const isShared = ours.some((a) =>
    theirs.some((b) => a === b || matchesRef(a, b) || matchesRef(b, a))
  );
  if (isShared) return [];
  const message = "no branch is gated on push and on pull_request";
  return [{ message, place: placeOf(path, requested) }];
}

function listPositive(branches: YamlNode): string[] {
  return listTexts(branches).filter((pattern) => !pattern.startsWith("!"));
}

function listTexts(node: YamlNode): string[] {
  const items = node.kind === "seq" ? node.items : [node];
  return items.flatMap((item) => {
    const text = item.kind === "scalar" ? textOfScalar(item) : "";
    return text === "" ? [] : [text];
  });
}

/** Most UTF-16 code units of a pattern that is held against a name; git's own names are shorter. */
const MAX_PATTERN = 255;

/**
 * Whether a filter pattern of GitHub matches a name, as far as `*` and `**` go. A pattern with other
 * signs counts as a match: it may be one.
 */
function matchesRef(pattern: string, name: string): boolean {
  if (pattern.length > MAX_PATTERN || /[?+[\]\\]/.test(pattern)) return true;
  const parts = pattern.split(/\*+/);
  const [first = ""] = parts;
  if (parts.length === 1) return first === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const next = name.indexOf(part, at);
    if (next < 0) return false;
    at = next + part.length;
  }
  const last = parts.at(-1) ?? "";
  const rest = name.slice(at);
  return rest.endsWith(last) && (pattern.includes("**") || !name.slice(first.length).includes("/"));
}
