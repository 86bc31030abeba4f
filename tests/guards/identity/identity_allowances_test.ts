import fc from "fast-check";
import { makeFinding } from "../../../src/base/finding.ts";
import { compileGlobs } from "../../../src/base/glob.ts";
import { applyAllowances } from "../../../src/guards/identity/identity.ts";
import { assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const CODES = ["identity.forbidden_token", "identity.display_name"];
const PATHS = ["a", "a/b", "a/b.ts", "docs/x", "docs/y/z", "[a]"];
const GLOBS = [
  ...PATHS.slice(0, -1),
  "\\[a]",
  "\\a",
  "{a,docs/x}",
  "**",
  "a/*",
  "docs/**",
  "{a,docs}/*",
  "?",
];

Deno.test("applyAllowances() allows what each allowance by itself allows", PURE, () => {
  const allowance = fc.record({
    code: fc.constantFrom(...CODES),
    path: fc.constantFrom(...GLOBS),
    reason: fc.constantFrom("one", "another"),
  });
  const finding = fc.record({
    code: fc.constantFrom(...CODES),
    path: fc.constantFrom(...PATHS, null),
    line: fc.nat(2),
  });
  const cases = fc.property(fc.array(allowance), fc.array(finding), (allowances, facts) => {
    const findings = facts.map(({ code, ...place }) => makeFinding(code, "it is there", place));
    const allows = (index: number, { code, path }: typeof findings[number]): boolean =>
      allowances[index]?.code === code && path !== null &&
      compileGlobs([allowances[index]?.path ?? ""])(path);
    const indexes = [...allowances.keys()];
    const left = findings.filter((found) => !indexes.some((index) => allows(index, found)));
    const unused = indexes.filter((index) => !findings.some((found) => allows(index, found)));
    const result = applyAllowances(findings, allowances);
    assertEquals(result.slice(0, left.length), left);
    assertEquals(
      result.slice(left.length).map(({ code, message }) => [code, message]),
      unused.map((index) => {
        const { code, path, reason } = allowances[index]!;
        return [
          "identity.unused_allowance",
          `allowance of "${code}" at "${path.replace("\\", "\\\\")}" ("${reason}") allows nothing`,
        ];
      }),
    );
  });
  fc.assert(cases);
});
