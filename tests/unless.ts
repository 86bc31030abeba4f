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
