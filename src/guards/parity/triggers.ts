import { quote, showText } from "../../base/quote.ts";
import { placeOf, type Remark } from "../actions/steps.ts";
import { getYamlValue, textOfScalar, type YamlNode } from "../actions/yaml.ts";
import { USUAL_BRANCHES } from "../guard.ts";

/** What starts a workflow, as far as the gate depends on it. */
interface Triggers {
  /** Events that the gate needs and that do not start the workflow. */
  readonly missing: readonly Remark[];
  /** Those that start it. */
  readonly present: readonly string[];
  /** Filters by which a change can pass the workflow by. */
  readonly swallowed: readonly Remark[];
  /** Whether a push to any branch starts it. */
  readonly isEveryPushGated: boolean;
  /** The types of pull request events that start it. */
  readonly types: readonly string[];
}

/** What starts a workflow on a pull request that says nothing else. */
const DEFAULT_TYPES = ["opened", "synchronize", "reopened"];
const EVENTS = ["push", "pull_request"] as const;

/** Reads `on`: a text, a list or a mapping; the default branch is null where it is not known. */
export function readTriggers(
  path: string,
  root: YamlNode,
  defaultBranch: string | null,
): Triggers {
  const on = getYamlValue(root, "on");
  const place = placeOf(path, on ?? root);
  const events = EVENTS.flatMap((name) => {
    const settings = findEvent(on, name);
    return settings === null ? [] : [{ name, settings }];
  });
  const missing = EVENTS.filter((name) => events.every((event) => event.name !== name));
  const push = events.find(({ name }) => name === "push")?.settings;
  const pullRequest = events.find(({ name }) => name === "pull_request")?.settings ?? null;
  return {
    missing: missing.map((name) => ({ message: `it does not run on ${name}`, place })),
    present: events.map(({ name }) => name),
    swallowed: [
      ...events.flatMap(({ name, settings }) => checkPaths(path, settings, name)),
      ...checkBranches(path, events, defaultBranch),
      ...(push === undefined ? [] : checkTags(path, push)),
      ...(pullRequest === null ? [] : checkTypes(path, pullRequest)),
    ],
    isEveryPushGated: push !== undefined && push.kind !== "map",
    types: readTypes(pullRequest) ?? DEFAULT_TYPES,
  };
}

/** An event with its settings: a scalar where it has none. */
interface Event {
  readonly name: string;
  readonly settings: YamlNode;
}

function findEvent(on: YamlNode | null, event: string): YamlNode | null {
  switch (on?.kind) {
    case "scalar":
      return textOfScalar(on) === event ? on : null;
    case "seq":
      return on.items.find((item) => item.kind === "scalar" && textOfScalar(item) === event) ??
        null;
    case "map":
      return getYamlValue(on, event);
    default:
      return null;
  }
}

/** A filter by path passes only where it lets every path through. */
function checkPaths(path: string, settings: YamlNode, name: string): Remark[] {
  return ["paths", "paths-ignore"].flatMap((filter) => {
    const node = getYamlValue(settings, filter);
    if (node === null) return [];
    const patterns = listTexts(node);
    const last = patterns.lastIndexOf("**");
    const isWhole = filter === "paths-ignore"
      ? node.kind === "seq" && node.items.length === 0
      : last >= 0 && !patterns.slice(last).some((pattern) => pattern.startsWith("!"));
    if (isWhole) return [];
    const message = `${name} leaves out changes by ${showText(filter)}`;
    return [{ message, place: placeOf(path, node) }];
  });
}

function checkTags(path: string, push: YamlNode): Remark[] {
  const tags = getYamlValue(push, "tags") ?? getYamlValue(push, "tags-ignore");
  const branches = getYamlValue(push, "branches") ?? getYamlValue(push, "branches-ignore");
  if (tags === null || branches !== null) return [];
  return [{
    message: "push starts it for tags only, and for no branch",
    place: placeOf(path, tags),
  }];
}

function checkTypes(path: string, pullRequest: YamlNode): Remark[] {
  const types = getYamlValue(pullRequest, "types");
  const given = readTypes(pullRequest);
  const lacking = DEFAULT_TYPES.filter((type) => given !== null && !given.includes(type));
  if (types === null || lacking.length === 0) return [];
  const message = `pull_request does not start it when the request is ${lacking.join(" or ")}`;
  return [{ message, place: placeOf(path, types) }];
}

function readTypes(pullRequest: YamlNode | null): string[] | null {
  const types = getYamlValue(pullRequest, "types");
  if (types === null || (types.kind === "scalar" && types.value === null)) return null;
  return listTexts(types);
}

function listTexts(node: YamlNode): string[] {
  const items = node.kind === "seq" ? node.items : [node];
  return items.flatMap((item) => item.kind === "scalar" ? [textOfScalar(item)] : []);
}

/**
 * Checks that push and pull_request let the default branch through. Where its name is not known, one
 * of the usual ones must pass both filters, and none may be left out by name.
 */
function checkBranches(
  path: string,
  events: readonly Event[],
  defaultBranch: string | null,
): Remark[] {
  const names = defaultBranch === null ? USUAL_BRANCHES : [defaultBranch];
  const filters = events.flatMap(({ name, settings }) => {
    const node = getYamlValue(settings, "branches") ?? getYamlValue(settings, "branches-ignore");
    if (node === null) return [];
    return [{ event: name, node, verdicts: names.map((it) => judgeBranch(settings, it)) }];
  });
  const shown = defaultBranch === null ? "main, master or trunk" : quote(defaultBranch);
  const faults = filters.filter(({ verdicts }) =>
    verdicts.includes("left out") || !verdicts.includes("in")
  ).map(({ event, node }) => ({
    message: `${event} does not start it for the default branch, ${shown}`,
    place: placeOf(path, node),
  }));
  const isShared = names.some((_, i) => filters.every(({ verdicts }) => verdicts[i] === "in"));
  const [first] = filters;
  if (faults.length > 0 || isShared || first === undefined) return faults;
  const message = "no branch is gated on push and on pull_request";
  return [{ message, place: placeOf(path, first.node) }];
}

/** Whether filters let a branch through, do not name it, or name it as one that is left out. */
function judgeBranch(settings: YamlNode, branch: string): "in" | "not named" | "left out" {
  const ignored = getYamlValue(settings, "branches-ignore");
  const branches = getYamlValue(settings, "branches");
  if (ignored !== null && listTexts(ignored).some((it) => matchesBranch(it, branch))) {
    return "left out";
  }
  if (branches === null) return "in";
  let verdict: "in" | "not named" | "left out" = "not named";
  for (const pattern of listTexts(branches)) {
    const isNegated = pattern.startsWith("!");
    if (!matchesBranch(isNegated ? pattern.slice(1) : pattern, branch)) continue;
    verdict = isNegated ? "left out" : "in";
  }
  return verdict;
}

/** Most UTF-16 code units of a pattern that is held against a name; git's own names are shorter. */
const MAX_PATTERN = 255;

/** One sign of a pattern: which characters it takes, and how often. */
interface PatternStep {
  readonly takes: (character: string) => boolean;
  readonly times: "once" | "optional" | "some" | "any";
}

/**
 * Whether a filter pattern of GitHub's matches a name: `*`, `**`, `[…]`, and `?` and `+` behind a
 * sign, as its workflow syntax has them. What cannot be read matches nothing.
 */
export function matchesBranch(pattern: string, name: string): boolean {
  const steps = pattern.length > MAX_PATTERN ? null : parsePattern(pattern);
  if (steps === null) return false;
  // The places in the name to which the steps so far can have come.
  let reached = new Set([0]);
  for (const { takes, times } of steps) {
    const next = new Set(times === "once" || times === "some" ? [] : reached);
    for (const start of reached) {
      for (let at = start; at < name.length && takes(name.charAt(at)); at++) {
        next.add(at + 1);
        if (times === "once" || times === "optional") break;
      }
    }
    reached = next;
  }
  return reached.has(name.length);
}

function parsePattern(pattern: string): PatternStep[] | null {
  const steps: PatternStep[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const sign = pattern.charAt(i);
    const last = steps.at(-1);
    if (sign === "*") {
      const isDouble = pattern.charAt(i + 1) === "*";
      if (isDouble) i++;
      steps.push({ takes: (it) => isDouble || it !== "/", times: "any" });
    } else if (sign === "?" || sign === "+") {
      if (last === undefined) return null;
      steps[steps.length - 1] = { ...last, times: sign === "?" ? "optional" : "some" };
    } else if (sign === "[") {
      const end = pattern.indexOf("]", i + 1);
      const takes = end < 0 ? null : parseClass(pattern.slice(i + 1, end));
      if (takes === null) return null;
      steps.push({ takes, times: "once" });
      i = end;
    } else {
      const own = sign === "\\" ? pattern.charAt(++i) : sign;
      steps.push({ takes: (it) => it === own, times: "once" });
    }
  }
  return steps;
}

/** The characters between brackets: single ones, and ranges such as `a-z`. */
function parseClass(text: string): ((character: string) => boolean) | null {
  const parts = text.match(/[^-]-[^-]|[^-]/gu) ?? [];
  if (parts.length === 0 || parts.join("") !== text) return null;
  return (it) =>
    parts.some((part) => {
      const [from = "", , to = from] = part;
      return from <= it && it <= to;
    });
}
