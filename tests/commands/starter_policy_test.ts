import { parsePolicy } from "../../src/guards/policy.ts";
import { buildStarterPolicy, type ProjectFacts, toCanonicalUrl } from "../../src/commands/init.ts";
import { assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const URLS: readonly (readonly [address: string, expected: string | null])[] = [
  ["https://github.com/acme/etl.git", "https://github.com/acme/etl"],
  ["https://github.com/acme/etl/", "https://github.com/acme/etl"],
  ["github.com:acme/etl.git", "https://github.com/acme/etl"],
  ["ssh://example.org:2222/acme/etl", "https://example.org/acme/etl"],
  ["https://git.example.org/group/sub/etl", "https://git.example.org/group/sub/etl"],
  ["localhost:acme", null],
  ["", null],
];

for (const [address, expected] of URLS) {
  Deno.test(`toCanonicalUrl() makes ${expected} of "${address}"`, PURE, () => {
    assertEquals(toCanonicalUrl(address), expected);
  });
}

const NOTHING: ProjectFacts = {
  manifest: null,
  repository: null,
  tracked: [],
  denoRange: ">=2.8.2 <2.10.0",
};

const PROJECTS:
  readonly (readonly [what: string, project: ProjectFacts, sections: readonly string[]])[] = [
    ["nothing known", NOTHING, ["artifacts"]],
    ["a repository alone", { ...NOTHING, repository: "https://example.org/a" }, [
      "identity",
      "artifacts",
    ]],
    ["a Deno project", {
      ...NOTHING,
      manifest: { path: "deno.json", name: "@a/b", version: "1.0.0" },
    }, ["identity", "artifacts", "runtime", "lock"]],
    ["a Python project", {
      ...NOTHING,
      manifest: { path: "pyproject.toml", name: "etl", version: null },
    }, ["identity", "artifacts"]],
    ["a package without name and version", {
      ...NOTHING,
      manifest: { path: "package.json", name: null, version: null },
    }, ["artifacts"]],
  ];

for (const [what, project, sections] of PROJECTS) {
  Deno.test(`buildStarterPolicy() makes a policy that parses for ${what}`, PURE, () => {
    const policy = buildStarterPolicy(project, "docs/governance/policy.json");
    assertEquals(parsePolicy(policy, "the policy"), policy);
    assertEquals(Object.keys(policy), ["schema", ...sections]);
  });
}
