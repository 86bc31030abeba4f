import { known, type PlainValue, UNKNOWN, type Value } from "../workflow/expression_value.ts";

/** A way in which a change reaches the workflow: what is known of `github` then. */
export interface Scenario {
  readonly event: "push" | "pull_request";
  /** By its path in lower case, such as `github.event_name`. */
  readonly values: ReadonlyMap<string, Value>;
  /** What is below these paths has no value. */
  readonly empty: readonly string[];
}

/** What decides which scenarios there are. */
interface ScenarioOptions {
  /** `https://github.com/owner/name` as the policy has it, or null. */
  readonly repository: string | null;
  /** Whether every push to every branch starts the workflow. */
  readonly isEveryPushGated: boolean;
  /** The types of pull request events that start it. */
  readonly types: readonly string[];
}

const PULL_REQUEST = "github.event.pull_request";

/**
 * Lists the ways in which a change reaches the workflow: by a push to a branch, by a pull request
 * from a fork, and by one from the repository itself. The last needs no run of its own where the push
 * to its branch had one.
 *
 * @param options What decides
 */
export function listScenarios(options: ScenarioOptions): Scenario[] {
  const common = describeRepository(options.repository);
  const pulls = [makePullRequest(common, options, true)];
  if (!options.isEveryPushGated) pulls.push(makePullRequest(common, options, false));
  return [makePush(common), ...pulls];
}

type Values = readonly (readonly [string, Value])[];

function describeRepository(repository: string | null): Values {
  const match = /^https:\/\/[^/]+\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(repository ?? "");
  const [, owner = null, name = null] = match ?? [];
  return [
    ["github.repository", symbol("repository", owner && `${owner}/${name}`)],
    ["github.repository_owner", symbol("owner", owner)],
    ["github.event.repository.full_name", symbol("repository", owner && `${owner}/${name}`)],
    ["github.event.repository.fork", known(false)],
    ["github.ref_type", known("branch")],
  ];
}

function symbol(name: string, text: string | null): Value {
  return { kind: "symbol", name, text };
}

function makePush(common: Values): Scenario {
  return {
    event: "push",
    values: new Map([
      ...common,
      ["github.event_name", known("push")],
      ["github.ref", { kind: "prefix", prefix: "refs/heads/" }],
      ["github.head_ref", known("")],
      ["github.base_ref", known("")],
      ["github.event.action", known(null)],
      ["github.event.deleted", known(false)],
    ]),
    empty: [PULL_REQUEST, "github.event.schedule", "github.event.inputs"],
  };
}

function makePullRequest(
  common: Values,
  { types }: ScenarioOptions,
  isFromFork: boolean,
): Scenario {
  const head = isFromFork
    ? [
      [`${PULL_REQUEST}.head.repo.full_name`, symbol("fork", null)],
      [`${PULL_REQUEST}.head.repo.owner.login`, symbol("owner of the fork", null)],
      [`${PULL_REQUEST}.head.user.login`, symbol("owner of the fork", null)],
      // It starts with the owner of the fork, whoever that is, and so with no name written down.
      [`${PULL_REQUEST}.head.label`, { kind: "prefix", prefix: "\0" }],
    ] as const
    : [
      [`${PULL_REQUEST}.head.repo.full_name`, symbol("repository", null)],
      [`${PULL_REQUEST}.head.repo.owner.login`, symbol("owner", null)],
    ] as const;
  const gated: readonly PlainValue[] = ["opened", "synchronize", "reopened"];
  return {
    event: "pull_request",
    values: new Map<string, Value>([
      ...common,
      ...head,
      ["github.event_name", known("pull_request")],
      ["github.ref", { kind: "prefix", prefix: "refs/pull/" }],
      ["github.event.action", { kind: "one_of", values: gated }],
      [PULL_REQUEST, known(true)],
      [`${PULL_REQUEST}.merged`, known(false)],
      [`${PULL_REQUEST}.head.repo.fork`, known(isFromFork)],
      // A draft cannot be merged, and is gated when it is made ready.
      [`${PULL_REQUEST}.draft`, types.includes("ready_for_review") ? known(false) : UNKNOWN],
    ]),
    empty: ["github.event.schedule", "github.event.inputs"],
  };
}

/**
 * The value of a reference to `github`.
 *
 * @param scenario What is known
 * @param path In lower case
 */
export function lookUpGithub({ values, empty }: Scenario, path: readonly string[]): Value {
  const name = path.join(".");
  if (empty.some((start) => name === start || name.startsWith(`${start}.`))) return known(null);
  return values.get(name) ?? UNKNOWN;
}
