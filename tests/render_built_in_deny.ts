import { BUILT_IN_ALLOW, BUILT_IN_DENY } from "../src/guards/artifacts.ts";

/** The built-in deny list as docs/governance.md shows it: a list, since globs hold the `|` of tables. */
export function renderBuiltInDeny(): string {
  return [
    ...BUILT_IN_DENY.map(({ glob, reason }) => `- \`${glob}\`: ${reason}`),
    ...BUILT_IN_ALLOW.map(({ glob, reason }) => `- allowed all the same, \`${glob}\`: ${reason}`),
    "",
  ].join("\n");
}
