import type { TrackedEntry } from "../guards/facts.ts";
import { parseFileList } from "../gather/git_index/parse_file_list.ts";
import { MOST_BYTES } from "../gather/git_index/read_git_file.ts";
import { describeLinkBelow, resolveRoot, type Root } from "../gather/input_path.ts";
import { gatherPolicyAt, requirePolicy } from "../gather/policy_file.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import type { Host } from "../system/host.ts";
import { requirePermission } from "../system/permissions.ts";
import { readRequiredFile } from "../system/read_file.ts";
import { renderGuardGithub } from "../write/guard_github.ts";
import type { GuardResult } from "../guards/guard_result.ts";
import { renderGuardJson, renderGuardText } from "../write/guard_result.ts";
import { renderGuardSarif } from "../write/guard_sarif.ts";
import type { TextOptions } from "../write/paint.ts";
import type { Command, ParsedFlags } from "./command.ts";
import { chooseGuards, GUARDS } from "./guard_table.ts";
import { renderFindings } from "./render_findings.ts";
import { runGuards } from "./run_guards.ts";

/** `kprov guard`. */
export const GUARD: Command = {
  name: "guard",
  summary: "Hold a repository against its policy",
  usage: [
    "kprov guard [NAME]... [--root DIR] [--policy FILE] [--base-lock FILE] [--files-from FILE] " +
    "[--format text|json|sarif|github]",
  ],
  description: [
    `Runs the guards named, or every guard that the policy configures: ${
      GUARDS.map(({ name }) => name).join(", ")
    }. They look at what git tracks, read from git's index without running git, and fail closed: ` +
    "what cannot be read exactly does not pass.",
    "artifacts: nothing that a run, a build, an editor or a secret leaves is tracked. identity: the " +
    "project is called what it is called, everywhere, and nothing looks like it. runtime: every " +
    "declaration of Deno, Node and Python lies inside the policy's range. parity: CI runs what people run " +
    "locally, on every version, and nothing swallows it. lock: no rule changes without a higher major " +
    "version.",
  ],
  flags: [
    { name: "root", value: "DIR", summary: "The repository (default: the working directory)" },
    {
      name: "policy",
      value: "FILE",
      summary: "The policy (default: docs/governance/policy.json below the root)",
    },
    {
      name: "files-from",
      value: "FILE",
      summary: "What git tracks, as git ls-files -z prints it, for a tree without an index",
    },
    {
      name: "base-lock",
      value: "FILE",
      summary: "The governance lock as the base branch has it, for the lock guard",
    },
    {
      name: "format",
      value: "FORMAT",
      choices: ["text", "json", "sarif", "github"],
      summary: "text (default), json, sarif or github",
    },
  ],
  operands: GUARDS.map(({ name }) => name),
  permissions: "--allow-read=DIR, and --allow-read=FILE for files elsewhere.",
  examples: [
    ["kprov guard", "Run every guard that the policy configures"],
    ["kprov guard identity --format sarif", "Run one guard, for a code scanning service"],
    [
      "git ls-files -z > files && kprov guard --files-from files",
      "Guard a tree that is exported without .git",
    ],
  ],
  exitCodes: [
    [0, "no guard found anything that fails"],
    [1, "there are findings"],
    [64, "the command line is wrong"],
    [65, "the root or a tracked file is missing"],
    [74, "reading failed"],
    [77, "a permission of Deno is missing; the message names its flag"],
    [78, "the policy is missing or cannot be used, or has no section for a guard named"],
  ],
  execute: guard,
};

type Render = (results: readonly GuardResult[], options: TextOptions) => string;

const RENDERERS: Readonly<Record<string, Render>> = {
  text: renderGuardText,
  json: renderGuardJson,
  sarif: renderGuardSarif,
  github: renderGuardGithub,
};

async function guard(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.rest !== null) throw new KprovError("usage", "Cannot guard: -- has no meaning here");
  const render = readFormat(flags.value("format") ?? "text");
  const root = resolveRoot(flags.value("root") ?? ".");
  const file = flags.value("policy");
  const { policy } = await (file === null ? requirePolicy(root) : gatherPolicyAt(file, root));
  const guards = await chooseGuards(flags.positionals, policy);
  const list = flags.value("files-from");
  const tracked = list === null ? null : readFileList(list, root);
  const results = await runGuards({
    root,
    policy,
    guards,
    tracked,
    baseLock: flags.value("base-lock"),
  });
  const text = renderFindings((all) => render(all, host), results);
  if (render === renderGuardGithub) host.writeStdout(text, "workflow commands");
  else host.writeStdout(text);
  return results.every(({ ok }) => ok) ? 0 : 1;
}

function readFormat(format: string): Render {
  const render = Object.hasOwn(RENDERERS, format) ? RENDERERS[format] : undefined;
  if (render !== undefined) return render;
  throw new KprovError(
    "usage",
    `Cannot use --format ${quote(format)}: expected text, json, sarif or github`,
  );
}

function readFileList(path: string, root: Root): readonly TrackedEntry[] {
  requirePermission("read", path);
  const action = `Cannot use --files-from ${quote(path)}`;
  const link = describeLinkBelow(path, root);
  if (link !== null) throw new KprovError("data", `${action}: ${link}`);
  const bytes = readRequiredFile(path, { action, maxBytes: MOST_BYTES, follows: true });
  try {
    return parseFileList(bytes);
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    throw new KprovError("data", `${action}: ${error.message}`);
  }
}
