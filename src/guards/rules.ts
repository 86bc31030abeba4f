import type { FindingLevel } from "../base/error.ts";

/** What a finding's code stands for. */
export interface Rule {
  /** The code, `guard.what`. */
  readonly code: string;
  /** How its findings weigh. */
  readonly level: FindingLevel;
  /** What is wrong, in a few words, without a final period. */
  readonly title: string;
  /** What the rule demands, in sentences. */
  readonly description: string;
  /** What to do about a finding, in sentences. */
  readonly remedy: string;
}

/** Every code that a guard can report, in the order of the guards. */
export const RULES: readonly Rule[] = [
  {
    code: "artifacts.tracked",
    level: "error",
    title: "Git tracks a path that the policy denies",
    description:
      "What builds, runs, caches and editors leave behind, and secrets, are not tracked.",
    remedy: "Run the git rm --cached line of the finding, and add the path to .gitignore.",
  },
  {
    code: "artifacts.index_missing",
    level: "error",
    title: "There is no git index to read",
    description: "The guards judge what git tracks, and its list is not there.",
    remedy: "Run kprov at the root of a git worktree, or give the list with --files-from.",
  },
  {
    code: "artifacts.index_invalid",
    level: "error",
    title: "The git index cannot be read exactly",
    description: "The guards judge all that git tracks; a list that may be incomplete is refused.",
    remedy: "See that git status works, or give the list of git ls-files -z with --files-from.",
  },
  unusedAllowance("artifacts"),
  {
    code: "identity.surface_missing",
    level: "error",
    title: "A file that must show the project's identity is missing or cannot be read",
    description: "Every surface that the policy names is tracked, readable and holds its value.",
    remedy: "Restore the file or the value, or take the surface out of the policy.",
  },
  {
    code: "identity.surface_mismatch",
    level: "error",
    title: "A file shows another identity than the policy's",
    description: "What a surface holds equals or contains what the policy says, as a whole.",
    remedy: "Write the value that the finding names.",
  },
  {
    code: "identity.forbidden_token",
    level: "error",
    title: "A forbidden token is in a file or in a path",
    description: "No tracked content and no tracked path holds a token that the policy forbids.",
    remedy: "Remove the token, or allow it for this path, with the reason, in the policy.",
  },
  {
    code: "identity.display_name",
    level: "error",
    title: "The display name is used where it is not allowed",
    description: "The display name is for documents; everything technical has the technical name.",
    remedy: "Use the technical name, or allow the path under identity.display_name_allowed.",
  },
  {
    code: "identity.docker_label",
    level: "error",
    title: "A Docker label is missing or wrong",
    description: "The last stage of every Dockerfile sets the labels that the policy demands.",
    remedy: "Write the LABEL line of the finding into the last stage, without variables.",
  },
  {
    code: "identity.lookalike",
    level: "error",
    title: "A word looks like the project's name but is not",
    description:
      "No content and no path holds a name that can be mistaken for the technical, display " +
      "or repository name: confusable, zero-width, bidirectional or fullwidth characters (UTS #39).",
    remedy: "Write the name in its own characters; the finding lists the ones that stand there.",
  },
  {
    code: "identity.behind_link",
    level: "error",
    title: "A tracked path lies behind a symbolic link",
    description: "No directory on the way to a tracked file is a link: what is behind one is not " +
      "what git tracks, is not read, and may lie outside of the repository.",
    remedy:
      "Put the directory back in the link's place, or take the paths behind it out of git's index.",
  },
  {
    code: "identity.missing_file",
    level: "error",
    title: "A tracked file is not there to be read",
    description:
      "The guard reads what git tracks in the working tree; what is gone is not checked.",
    remedy: "Restore the file, or take it out of git's index.",
  },
  unusedAllowance("identity"),
  {
    code: "runtime.out_of_range",
    level: "error",
    title: "A runtime is declared outside the policy's range",
    description:
      "Every version of Deno, Node and Python that the repository declares or pins lies " +
      "inside the range that the policy names for it, and so does the Deno that runs the guard.",
    remedy: "Declare a version or a range inside the policy's.",
  },
  {
    code: "runtime.unpinned",
    level: "error",
    title: "A runtime is not pinned, or its version cannot be told",
    description: "Whatever declares a runtime says which version, without running anything.",
    remedy: "Write a version or a range inside the policy's.",
  },
  {
    code: "runtime.undeclared",
    level: "error",
    title: "A runtime that the policy names is declared nowhere",
    description:
      "Each of Node and Python that the policy names a range for is declared or pinned by a tracked " +
      "file. Deno is declared by the one that runs the guard.",
    remedy: "Declare a version inside the policy's range, or take the runtime out of the policy.",
  },
  unusedAllowance("runtime"),
  {
    code: "parity.missing",
    level: "error",
    title: "CI does not run the project's own check",
    description:
      "On push to the default branch and on pull request, a step of the workflow is the policy's " +
      "command and nothing else.",
    remedy: "Give the command a step of its own in the workflow that the policy names.",
  },
  {
    code: "parity.uncovered_version",
    level: "error",
    title: "CI does not check every supported version of a runtime",
    description:
      "The workflow runs the policy's command on every version that the policy names of each " +
      "runtime that the command uses.",
    remedy: "Add the version to the workflow's matrix.",
  },
  {
    code: "parity.swallowed",
    level: "error",
    title: "CI can pass although its check failed or did not run",
    description:
      "Nothing on the way to the command can skip it, change what it runs or take its failure away.",
    remedy:
      "Remove what the finding names: a condition, a filter, a shell, a variable, a directory.",
  },
  {
    code: "parity.extra_gate",
    level: "error",
    title: "CI checks something that nobody checks locally",
    description: "The workflow checks nothing that the policy's command does not check.",
    remedy: "Move the check into the command.",
  },
  unusedAllowance("parity"),
  {
    code: "lock.changed",
    level: "error",
    title: "A governed file differs from the governance lock",
    description: "The lock holds the digest of every governed file, and of no other.",
    remedy: "Undo the change, or raise the major version and renew the lock.",
  },
  {
    code: "lock.not_elevated",
    level: "error",
    title: "Governed files changed without a higher major version",
    description: "A change of a governed file comes with a higher major version.",
    remedy: "Raise the major version, then run kprov init --renew-lock.",
  },
  {
    code: "lock.missing",
    level: "error",
    title: "The governance lock is missing or cannot be read",
    description: "The lock that the policy names is tracked and well-formed.",
    remedy: "Run kprov init --renew-lock.",
  },
  {
    code: "lock.not_proven",
    level: "note",
    title: "The lock was not compared with the base branch's",
    description:
      "A lock edited together with the files it governs shows only beside the base's lock.",
    remedy: "Give the lock as the base branch has it with --base-lock.",
  },
  unusedAllowance("lock"),
];

/** Allowances are the policy's, and each is judged with the guard whose findings it allows. */
function unusedAllowance(guard: string): Rule {
  return {
    code: `${guard}.unused_allowance`,
    level: "error",
    title: "An allowance allows nothing",
    description: "Every allowance of the policy is needed by at least one finding.",
    remedy: "Remove the allowance from the policy.",
  };
}
