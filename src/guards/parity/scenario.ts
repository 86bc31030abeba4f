import { known, makeContext, UNKNOWN, type Value } from "../actions/value.ts";

/** A way in which a change reaches the workflow: what is known of `github` then. */
export interface Scenario {
  readonly event: "push" | "pull_request";
  readonly github: Value;
  /** Another way in which the same change reaches it: one of them is enough. */
  readonly otherwise: Scenario | null;
}

/** What decides which scenarios there are. */
interface ScenarioOptions {
  /** `https://github.com/owner/name` as the policy has it, or null. */
  readonly repository: string | null;
  /** The branch that everything is merged into, or null where that is not known. */
  readonly defaultBranch: string | null;
  /** Whether a push to any branch starts the workflow. */
  readonly isEveryPushGated: boolean;
  /** The types of pull request events that start it. */
  readonly types: readonly string[];
}

/**
 * Lists the ways in which a change reaches the workflow: by a push to the default branch, by a pull
 * request from a fork, and by one from the repository itself. The last needs no run of its own where
 * the push to its branch had one.
 *
 * @param options What decides
 */
export function listScenarios(options: ScenarioOptions): Scenario[] {
  const { isEveryPushGated, defaultBranch } = options;
  const branchPush = makePush(options, { kind: "prefix", prefix: "refs/heads/" }, UNKNOWN);
  const ref: Value = defaultBranch === null
    ? { kind: "prefix", prefix: "refs/heads/" }
    : known(`refs/heads/${defaultBranch}`);
  return [
    makePush(options, ref, symbol("default branch", defaultBranch)),
    makePullRequest(options, true, null),
    makePullRequest(options, false, isEveryPushGated ? branchPush : null),
  ];
}

function symbol(name: string, text: string | null): Value {
  return { kind: "symbol", name, text };
}

/** What `github` and `github.event` hold in every case. */
function describeRepository({ repository, defaultBranch }: ScenarioOptions): {
  readonly github: Readonly<Record<string, Value>>;
  readonly event: Readonly<Record<string, Value>>;
  readonly fullName: Value;
  readonly owner: Value;
} {
  const match = /^https:\/\/[^/]+\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(repository ?? "");
  const [, owner = null, name = null] = match ?? [];
  const fullName = symbol("repository", owner && `${owner}/${name}`);
  const ownerName = symbol("owner", owner);
  return {
    github: { repository: fullName, repository_owner: ownerName, ref_type: known("branch") },
    event: {
      repository: makeContext({
        full_name: fullName,
        fork: known(false),
        default_branch: symbol("default branch", defaultBranch),
      }),
      schedule: known(null),
      inputs: known(null),
    },
    fullName,
    owner: ownerName,
  };
}

function makePush(options: ScenarioOptions, ref: Value, name: Value): Scenario {
  const { github, event } = describeRepository(options);
  return {
    event: "push",
    otherwise: null,
    github: makeContext({
      ...github,
      event_name: known("push"),
      ref,
      ref_name: name,
      head_ref: known(""),
      base_ref: known(""),
      event: makeContext({
        ...event,
        action: known(null),
        deleted: known(false),
        pull_request: known(null),
      }),
    }),
  };
}

function makePullRequest(
  options: ScenarioOptions,
  isFromFork: boolean,
  otherwise: Scenario | null,
): Scenario {
  const { github, event, fullName, owner } = describeRepository(options);
  const { types, defaultBranch } = options;
  const headOwner = isFromFork ? symbol("owner of the fork", null) : owner;
  const headName = isFromFork ? symbol("fork", null) : fullName;
  const base = symbol("default branch", defaultBranch);
  return {
    event: "pull_request",
    otherwise,
    github: makeContext({
      ...github,
      event_name: known("pull_request"),
      ref: { kind: "prefix", prefix: "refs/pull/" },
      base_ref: base,
      event: makeContext({
        ...event,
        action: { kind: "one_of", values: ["opened", "synchronize", "reopened"] },
        pull_request: makeContext({
          merged: known(false),
          // A draft cannot be merged, and is gated when it is made ready.
          draft: types.includes("ready_for_review") ? known(false) : UNKNOWN,
          base: makeContext({ ref: base, repo: makeContext({ full_name: fullName }) }),
          head: makeContext({
            label: isFromFork ? { kind: "foreign" } : UNKNOWN,
            user: makeContext({ login: headOwner }),
            repo: makeContext({
              full_name: headName,
              fork: known(isFromFork),
              owner: makeContext({ login: headOwner }),
            }),
          }),
        }),
      }),
    }),
  };
}
