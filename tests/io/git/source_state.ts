import { join } from "../../../src/base/std.ts";
import type { Source } from "../../../src/evidence/run_summary.ts";
import { gatherSource } from "../../../src/io/git/source.ts";
import { gatherInputs } from "../../../src/io/inputs.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type GitRepository, openRepository } from "./git_repository.ts";

interface Setting {
  readonly exclude?: readonly string[];
  readonly root?: string;
}

/** What kprov says of inputs. */
export async function stateOf(
  repo: GitRepository,
  inputs: readonly string[],
  { exclude = [], root = repo.path }: Setting = {},
): Promise<Source["state"] | undefined> {
  const gathered = await gatherInputs({
    inputs: inputs.map((name) => join(root, name)),
    exclude,
    root: { given: root, path: root },
    own: [],
    links: "links",
    effort: { jobs: 1, progress: null },
  });
  return gatherSource(root, gathered)?.state;
}

/** What git says of them: nothing that differs from HEAD, and nothing that is not tracked. */
export function oracleOf(repo: GitRepository, inputs: readonly string[]): Source["state"] {
  const others = repo.git("ls-files", "--others", "-z", "--", ...inputs);
  const { code } = repo.tryGit("diff", "--quiet", "HEAD", "--", ...inputs);
  assert(code === 0 || code === 1, `git diff ended with ${code}`);
  return code === 0 && others.length === 0 ? "committed" : "modified";
}

export async function assertAgrees(repo: GitRepository, inputs: readonly string[]): Promise<void> {
  assertEquals(await stateOf(repo, inputs), oracleOf(repo, inputs), inputs.join(" "));
}

/** The same with a name of what stands in the repository. */
export async function assertState(
  repo: GitRepository,
  inputs: readonly string[],
  expected: Source["state"],
): Promise<void> {
  assertEquals(oracleOf(repo, inputs), expected, `git of ${inputs}`);
  assertEquals(await stateOf(repo, inputs), expected, `kprov of ${inputs}`);
}

/** Runs an asynchronous test in a repository made by git. */
export async function inRepository(
  args: readonly string[],
  use: (repo: GitRepository) => Promise<void>,
): Promise<void> {
  const place = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kprov-source-" }));
  try {
    const path = join(place, "repository");
    Deno.mkdirSync(path);
    const repo = openRepository(path);
    repo.git("init", "-q", "-b", "main", ...args);
    await use(repo);
  } finally {
    Deno.removeSync(place, { recursive: true });
  }
}

/** Commits three files. */
export function commitFiles(repo: GitRepository): void {
  for (const name of ["data/a", "data/c", "data/sub/b"]) repo.write(name);
  Deno.symlinkSync("a", join(repo.path, "data/link"));
  repo.git("add", ".");
  repo.git("commit", "-qm", "files");
}
