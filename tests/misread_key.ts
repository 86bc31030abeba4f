/**
 * Whether `JSON.parse()` may misread a key of the text: one of a single escaped character comes out
 * as `\` where that key was met before (https://github.com/nodejs/node/issues/63785). A property
 * that parses what it generates fails once in some thousand runs where it lets such keys through.
 *
 * @param text JSON
 */
export function hasMisreadKey(text: string): boolean {
  return /"\\(?:u[0-9a-f]{4}|.)"\s*:/i.test(text);
}
