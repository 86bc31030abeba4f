import { parsePolicy } from "../../../src/guards/policy.ts";
import { isInPolicyRange, parsePolicyRange } from "../../../src/guards/runtime/declaration.ts";
import { assert, assertEquals, assertThrows } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const CASES: readonly (readonly [
  runtime: "deno" | "node" | "python",
  range: string,
  version: string,
  isInside: boolean,
])[] = [
  ["python", ">=3.12,<3.13", "3.12.1", true],
  ["python", ">=3.12 <3.13", "3.12.1", true],
  ["python", ">= 3.12 , < 3.13", "3.12.1", true],
  ["python", ">=3.12 <3.13", "3.11.7", false],
  ["python", ">=3.12 <3.13", "3.13.0", false],
  ["python", ">=3.12 <3.13", "3.13.0rc1", false],
  ["python", ">=3.13.0rc1", "3.13.0rc1", true],
  ["python", "~=3.11.4", "3.11.7", true],
  ["python", "~=3.11.4", "3.12.0", false],
  ["python", "==3.11.*", "3.11.7", true],
  ["python", ">=3.9,!=3.10.*", "3.10.13", false],
  ["python", "^3.11", "3.12.1", false],
  ["python", "3.11.x || 3.13.x", "3.12.1", false],
  ["python", ">=3.11", "3.12", false],
  ["python", ">=3.11", "of a kind", false],
  ["python", "latest", "3.12.1", false],
  ["node", ">=20", "22.1.0", true],
  ["node", "^20 || ^22", "21.0.0", false],
  ["node", ">=20", "23.0.0-nightly20240901", false],
  ["deno", ">=2.8.2 <2.10.0", "2.9.6", true],
];

for (const [runtime, range, version, isInside] of CASES) {
  const verb = isInside ? "takes" : "refuses";
  Deno.test(`the policy's range ${range} ${verb} ${runtime} ${version}`, PURE, () => {
    assertEquals(isInPolicyRange(runtime, version, range), isInside);
  });
}

Deno.test(
  "a policy takes Python's range as PEP 440 writes it, and no other runtime's",
  PURE,
  () => {
    const parse = (runtime: Record<string, string>): unknown =>
      parsePolicy({ schema: "kprovengine.policy.v1", runtime }, "the policy");
    for (const python of [">=3.11,<3.13", "~=3.11.4", "==3.12.*", ">=3.11 <3.13"]) {
      assert(parsePolicyRange("python", python).ok, python);
      parse({ python });
    }
    for (const python of ["", " ", "new", "=>3.11", ">=3.11,,x", "^3.12"]) {
      assertThrows(
        () => parse({ python }),
        Error,
        "expected specifiers of PEP 440 such as >=3.11,<3.13",
      );
    }
    assertThrows(() => parse({ node: ">=20,<22" }), Error, "/runtime/node");
  },
);
