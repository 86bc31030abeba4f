import { maskMachine, parseGuide, runGuideStep } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { CLI, runKprov, WIDE } from "./run_kprov.ts";
import { installBoth } from "./run_script.ts";
import { makeTree, type TemporaryTree } from "./temporary_tree.ts";

const TOP = fromFileUrl(new URL("..", import.meta.url));

/** The page. */
export const README: string = `${TOP}/README.md`;

/** An example of a guard: a policy's section, what a repository holds, and what the guard finds. */
export interface GuardExample {
  /** The guard's name. */
  readonly guard: string;
  /** One section of a policy, as a member of a JSON object. */
  readonly policy: string;
  /** Whether the file is there from the start, or changed after the lock was taken. */
  readonly state: "tracked" | "changed";
  /** The file's path. */
  readonly path: string;
  /** Its content. */
  readonly content: string;
  /** The line that the guard prints. */
  readonly finding: string;
}

/** What a command of the page printed. */
export interface ReadmeStep {
  /** The command, as the page shows it. */
  readonly command: string;
  /** What the page shows. */
  readonly shown: string;
  /** What it prints here. */
  readonly printed: string;
}

/**
 * Runs every command of the page, in a directory with the files that it shows.
 *
 * @param text The page
 */
export async function runReadme(text: string): Promise<readonly ReadmeStep[]> {
  const { files, steps } = parseGuide(text);
  using tree = makeTree({ ...files, LICENSE: Deno.readFileSync(`${TOP}/LICENSE`) });
  using bin = makeTree();
  installBoth(bin.path);
  const ran: ReadmeStep[] = [];
  for (const { command, output } of steps) {
    // The Deno under test stands for the one that npx brings, and the checkout is not copied.
    const line = command
      .replace(/^npx -y deno@\S+ run/, `'${Deno.execPath()}' run --quiet --no-prompt`)
      .replace(" cli.ts ", ` '${CLI}' `);
    const printed = await runGuideStep(line, tree.path, bin.path);
    ran.push({ command, shown: output, printed });
  }
  return ran;
}

/** What a command printed, without what differs from second to second and from machine to machine. */
export function maskRun(output: string): string {
  return maskMachine(output)
    .replace(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z(?:-[0-9]+)?/g, "<run-id>");
}

/**
 * Reads the examples of guards: three lines, behind `policy`, `tracked` or `changed`, and `finding`.
 *
 * @param text The page
 */
export function parseGuardExamples(text: string): GuardExample[] {
  const form =
    /^```text guard=(\S+)\npolicy +(.*)\n(tracked|changed) +([^\s:]+)(?:: (.*))?\nfinding +(.*)\n```$/gm;
  return [...text.matchAll(form)].map(
    ([, guard = "", policy = "", state, path = "", content = "", finding = ""]) => ({
      guard,
      policy,
      state: state === "changed" ? "changed" : "tracked",
      path,
      content,
      finding,
    }),
  );
}

/**
 * Runs a guard over its example.
 *
 * @param example The example
 * @returns What the guard prints
 */
export async function runGuardExample(example: GuardExample): Promise<string> {
  const { guard, policy, state, path, content } = example;
  using tree = makeTree({
    "docs/governance/policy.json": `{"schema": "kprovengine.policy.v1", ${policy}}`,
    "package.json": '{"version": "1.2.0"}',
    [path]: state === "changed" ? "as it was\n" : `${content}\n`,
    "list": `${path}\0package.json\0`,
  });
  if (state === "changed") {
    await makeLock(tree);
    Deno.writeTextFileSync(tree.at(path), `${content}\n`);
  }
  const args = ["guard", guard, "--files-from", "list"];
  return (await runKprov(args, { cwd: tree.path, permissions: WIDE })).stdout;
}

async function makeLock(tree: TemporaryTree): Promise<void> {
  const git = (...args: readonly string[]): Promise<Deno.CommandOutput> =>
    new Deno.Command("git", { args: [...args], cwd: tree.path }).output();
  await git("init", "--quiet");
  await git("add", ".");
  await runKprov(["init", "--renew-lock"], { cwd: tree.path, permissions: WIDE });
  Deno.writeTextFileSync(tree.at("list"), `${Deno.readTextFileSync(tree.at("list"))}lock.json\0`);
}
