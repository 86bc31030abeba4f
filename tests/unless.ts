/** How `Deno.test()` takes a test's name and options: `Deno.test(...unless(why, name), fn)`. */
export type TestHead = readonly [name: string, options: Omit<Deno.TestDefinition, "fn" | "name">];

/**
 * The head of a test that is ignored where there is a reason, such as a tool that is missing; its
 * name says the reason then.
 *
 * @param reason Why it cannot run here, or null
 * @param name Its name
 */
export function unless(reason: string | null, name: string): TestHead {
  return [reason === null ? name : `${name} (${reason})`, { ignore: reason !== null }];
}

/** What shows that a program works: a container may hold it, and forbid what it does. */
const TRIALS: Readonly<Record<string, string>> = {
  bwrap: "bwrap --unshare-all --ro-bind / / true",
  disorderfs: 'd=$(mktemp -d) && mkdir "$d/a" "$d/b" && disorderfs "$d/a" "$d/b" && ' +
    'fusermount -u "$d/b" && rmdir "$d/a" "$d/b" "$d"',
  mount: 'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d" && rmdir "$d"',
  strace: "strace -f -qq -o /dev/null true",
};

/**
 * Why something of Linux cannot be tested here.
 *
 * @param programs What it takes besides
 * @returns What is missing or does not work, or null
 */
export function lacks(...programs: readonly string[]): string | null {
  if (Deno.build.os !== "linux") return "not Linux";
  for (const program of programs) {
    if (!succeeds(`command -v ${program}`)) return `no ${program}`;
    const trial = TRIALS[program];
    if (trial !== undefined && !succeeds(trial)) return `${program} does not work here`;
  }
  return null;
}

function succeeds(script: string): boolean {
  return new Deno.Command("sh", {
    args: ["-c", script],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync().success;
}
