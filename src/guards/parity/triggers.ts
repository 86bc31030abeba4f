import { showText } from "../../base/quote.ts";
import { getYamlValue, textOfScalar, type YamlNode } from "../yaml_node.ts";
import { compareBranches, readBranches } from "./branch_filter.ts";
import { type Fault, placeOf } from "./place.ts";

/** What starts a workflow, as far as the gate depends on it. */
interface Triggers {
  /** Events that the gate needs and that do not start the workflow. */
  readonly missing: readonly Fault[];
  /** Those that start it. */
  readonly present: readonly string[];
  /** Filters by which a change can pass the workflow by. */
  readonly swallowed: readonly Fault[];
  /** Whether a push to any branch starts it. */
  readonly isEveryPushGated: boolean;
  /** The types of pull request events that start it. */
  readonly types: readonly string[];
}

/** What starts a workflow on a pull request that says nothing else. */
const DEFAULT_TYPES = ["opened", "synchronize", "reopened"];
const EVENTS = ["push", "pull_request"] as const;

/**
 * Reads `on`: a text, a list or a mapping.
 *
 * @param path The workflow's path
 * @param root Its content
 */
export function readTriggers(path: string, root: YamlNode): Triggers {
  const on = getYamlValue(root, "on");
  const events = new Map(EVENTS.map((event) => [event, findEvent(on, event)]));
  const push = events.get("push") ?? null;
  const pullRequest = events.get("pull_request") ?? null;
  const place = placeOf(path, on ?? root);
  const missing = EVENTS.filter((event) => (events.get(event) ?? null) === null)
    .map((event): Fault => ({ message: `it does not run on ${event}`, place }));
  return {
    missing,
    present: EVENTS.filter((event) => (events.get(event) ?? null) !== null),
    swallowed: [
      ...(push === null ? [] : checkPush(path, push)),
      ...(pullRequest === null ? [] : checkPullRequest(path, pullRequest)),
      ...(push === null || pullRequest === null ? [] : compareBranches(path, push, pullRequest)),
    ],
    isEveryPushGated: push !== null && push.kind !== "map",
    types: readTypes(pullRequest) ?? DEFAULT_TYPES,
  };
}

/** The settings of an event: a scalar where it has none, null where it does not start anything. */
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

function checkPush(path: string, push: YamlNode): Fault[] {
  const tags = getYamlValue(push, "tags") ?? getYamlValue(push, "tags-ignore");
  const { hasBranches, faults } = readBranches(path, push, "push");
  const onlyTags = tags !== null && !hasBranches
    ? [{ message: "push starts it for tags only, and for no branch", place: placeOf(path, tags) }]
    : [];
  return [...checkPaths(path, push, "push"), ...faults, ...onlyTags];
}

function checkPullRequest(path: string, pullRequest: YamlNode): Fault[] {
  const types = getYamlValue(pullRequest, "types");
  const given = readTypes(pullRequest);
  const lacking = DEFAULT_TYPES.filter((type) => given !== null && !given.includes(type));
  const faults = types === null || lacking.length === 0 ? [] : [{
    message: `pull_request does not start it when the request is ${lacking.join(" or ")}`,
    place: placeOf(path, types),
  }];
  return [
    ...checkPaths(path, pullRequest, "pull_request"),
    ...readBranches(path, pullRequest, "pull_request").faults,
    ...faults,
  ];
}

function checkPaths(path: string, event: YamlNode, name: string): Fault[] {
  return ["paths", "paths-ignore"].flatMap((filter) => {
    const node = getYamlValue(event, filter);
    if (node === null) return [];
    const message = `${name} leaves out changes by ${showText(filter)}`;
    return [{ message, place: placeOf(path, node) }];
  });
}

function readTypes(pullRequest: YamlNode | null): string[] | null {
  const types = getYamlValue(pullRequest, "types");
  if (types === null || (types.kind === "scalar" && types.value === null)) return null;
  const items = types.kind === "seq" ? types.items : [types];
  return items.flatMap((item) => item.kind === "scalar" ? [textOfScalar(item)] : []);
}
