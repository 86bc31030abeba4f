/**
 * What no line of kprov's output may hold, written down apart from the code that escapes it.
 */
const UNSAFE: readonly RegExp[] = [
  // What a terminal acts on and a reader overlooks.
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\p{DI}\u2800]/u,
  // A mark that changes what is no letter.
  /(?:^|[\s"'/:])\p{M}/u,
  // GitHub Actions, the present form and the old one; Azure Pipelines; TeamCity.
  /^\s*::/,
  /##[a-z]*\[/i,
  // Buildkite, GitLab, Travis.
  /^(?:---|\+\+\+|~~~|\^\^\^)\s/,
  /section_(?:start|end):|travis_(?:fold|time):/,
];

/**
 * Finds what a terminal or a CI system would act on, or a reader overlook.
 *
 * @param text Lines
 * @returns The first line that holds such a thing, or null
 */
export function findUnsafe(text: string): string | null {
  return text.split("\n").find((line) => UNSAFE.some((pattern) => pattern.test(line))) ?? null;
}
