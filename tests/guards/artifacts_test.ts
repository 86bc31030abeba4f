import { type Finding, KprovError } from "../../src/base/error.ts";
import { compileGlobs } from "../../src/base/glob.ts";
import { ARTIFACTS, BUILT_IN_ALLOW, BUILT_IN_DENY } from "../../src/guards/artifacts.ts";
import type { RepositoryFacts } from "../../src/guards/guard.ts";
import type { ArtifactsPolicy, Policy } from "../../src/guards/policy.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const CLEAN = [".env.example", "README.md", "docs/runs.md", "src/dist/keep.ts", "src/main.ts"];

const NOTHING = { ok: true, bytes: new Uint8Array() } as const;

function makeFacts(tracked: RepositoryFacts["tracked"]): RepositoryFacts {
  return {
    tracked,
    contents: "code" in tracked ? new Map() : new Map(tracked.map(({ path }) => [path, NOTHING])),
    hits: [],
    yaml: new Map(),
    runningDeno: "2.9.6",
    governance: null,
  };
}

function check(paths: readonly string[], artifacts: ArtifactsPolicy): Finding[] {
  const policy: Policy = { schema: "kprovengine.policy.v1", artifacts };
  return ARTIFACTS.check(makeFacts(paths.map((path) => ({ path, kind: "file" }))), policy);
}

Deno.test("ARTIFACTS finds nothing in a clean repository, whichever list", PURE, () => {
  assertEquals(check(CLEAN, {}), []);
  assertEquals(check(CLEAN, { deny: ["runs/**", "dist/**", "coverage/**", "**/.env"] }), []);
});

Deno.test("ARTIFACTS denies runs/a/b.json by runs/**, however deep it lies", PURE, () => {
  assertEquals(check([...CLEAN, "runs/a/b.json"], { deny: ["dist/**", "runs/**"] }), [{
    code: "artifacts.tracked",
    level: "error",
    path: "runs/a/b.json",
    line: null,
    column: null,
    message: 'it is tracked, and the policy denies "runs/**"',
    hint: "git rm --cached -- runs/a/b.json",
  }]);
});

Deno.test("ARTIFACTS gives the reason where the built-in list denies", PURE, () => {
  const [finding] = check([...CLEAN, "deploy/.env"], {});
  assertEquals(finding?.path, "deploy/.env");
  assertEquals(
    finding?.message,
    'it is tracked, and the built-in list denies "**/.env": secrets of a deployment',
  );
});

Deno.test("ARTIFACTS lets through what the policy allows, by either list", PURE, () => {
  const allow = ["dist/keep/**"];
  assertEquals(check(["dist/keep/a"], { allow }), []);
  assertEquals(check(["dist/keep/a"], { allow, deny: ["dist/**"] }), []);
  assertEquals(check(["dist/kept/a"], { allow, deny: ["dist/**"] }).length, 1);
});

Deno.test(
  "ARTIFACTS uses the policy's list alone where there is one, even an empty one",
  PURE,
  () => {
    assertEquals(check(["dist/a", ".env"], { deny: [] }), []);
    assertEquals(check([".env.example"], { deny: ["**/.env*"] }).length, 1);
  },
);

Deno.test("ARTIFACTS reports every path, sorted", PURE, () => {
  const paths = ["runs/b", "dist/x", "runs/a"];
  assertEquals(check(paths, {}).map(({ path }) => path), paths.toSorted());
});

const HINTS: readonly (readonly [path: string, hint: string])[] = [
  ["runs/it's", "git rm --cached -- 'runs/it'\\''s'"],
  ["runs/a\nb", "git rm --cached -- $'runs/a\\012b'"],
  ["runs/*", "git --literal-pathspecs rm --cached -- 'runs/*'"],
  ["runs/[a]", "git --literal-pathspecs rm --cached -- 'runs/[a]'"],
];

for (const [path, hint] of HINTS) {
  Deno.test(`ARTIFACTS hints at ${hint}`, PURE, () => {
    assertEquals(check([path], {})[0]?.hint, hint);
  });
}

for (const code of ["artifacts.index_missing", "artifacts.index_invalid"] as const) {
  Deno.test(`ARTIFACTS fails with ${code} where the list is not known`, PURE, () => {
    const facts = makeFacts({ code, message: "cannot read git's index: it is cut off" });
    const [finding, ...rest] = ARTIFACTS.check(facts, { schema: "kprovengine.policy.v1" });
    assertEquals(rest, []);
    assertEquals([finding?.code, finding?.level], [code, "error"]);
    assert(finding?.hint?.includes("--files-from"));
  });
}

Deno.test("ARTIFACTS refuses a glob that could never match, with its place", PURE, () => {
  const error = assertThrows(() => check([], { deny: ["a", "/runs/**"] }), KprovError);
  assertEquals(error.code, "policy");
  assertEquals(
    error.message,
    'Cannot use glob "/runs/**" at /artifacts/deny/1: it starts with "/", which no path does',
  );
  assertThrows(() => check([], { allow: ["["] }), KprovError, "at /artifacts/allow/0");
});

Deno.test("ARTIFACTS is configured by its section, and reads what may be a key alone", PURE, () => {
  assertEquals(ARTIFACTS.isConfigured({ schema: "kprovengine.policy.v1" }), false);
  assertEquals(ARTIFACTS.isConfigured({ schema: "kprovengine.policy.v1", artifacts: {} }), true);
  assertEquals(ARTIFACTS.wantsContent("runs/a", { schema: "kprovengine.policy.v1" }), false);
  assertEquals(ARTIFACTS.wantsYaml("a.yaml", { schema: "kprovengine.policy.v1" }), false);
});

/** For each built-in glob, one path that it is there for. */
const EXAMPLES: Readonly<Record<string, string>> = {
  "runs/**": "runs/2026-02-15T20-13-00Z/provenance.json",
  "dist/**": "dist/index.js",
  "target/{debug,release,classes}/**": "target/debug/app",
  "**/*.egg-info/**": "src/app.egg-info/PKG-INFO",
  "**/{.next,.nuxt,.svelte-kit}/**": "web/.next/server.js",
  "**/*.tsbuildinfo": "tsconfig.tsbuildinfo",
  "coverage/**": "coverage/lcov.info",
  "**/{htmlcov,.nyc_output}/**": "htmlcov/index.html",
  "**/.coverage": ".coverage",
  "**/node_modules{,/**}": "web/node_modules/a/index.js",
  "**/.venv{,/**}": ".venv/bin/python",
  "**/pyvenv.cfg": "pyvenv.cfg",
  "**/.snakemake/**": "flow/.snakemake/log/a",
  "**/.dvc/{tmp,cache}/**": ".dvc/tmp/lock",
  "**/mlruns/**": "mlruns/0/meta.yaml",
  "**/.dev.vars{,.*}": "worker/.dev.vars",
  "**/{.tox,.nox,.eggs}/**": ".tox/py311/bin/python",
  "**/.terraform/**": "infra/.terraform/providers/x",
  "**/__pycache__/**": "app/__pycache__/main.cpython-311.pyc.123",
  "**/*.{pyc,pyo}": "app/main.pyc",
  "**/{.mypy,.pytest,.ruff}_cache/**": ".ruff_cache/0.1/x",
  "**/.ipynb_checkpoints/**": "nb/.ipynb_checkpoints/a.ipynb",
  "**/{.eslintcache,.stylelintcache}": ".eslintcache",
  "**/{.gradle,.parcel-cache,.turbo}/**": ".gradle/8.5/x",
  "**/{npm-debug,yarn-error}.log": "web/npm-debug.log",
  "**/.DS_Store": "docs/.DS_Store",
  "**/Thumbs.db": "img/Thumbs.db",
  "**/.*.sw[op]": "src/.main.ts.swp",
  "**/*~": "src/main.ts~",
  "**/#*#": "src/#main.ts#",
  "**/.#*": "src/.#main.ts",
  "**/.idea/workspace.xml": ".idea/workspace.xml",
  "**/*.{orig,rej}": "src/main.ts.orig",
  "**/.env": ".env",
  "**/.env.*": "web/.env.production.local",
  "**/id_{rsa,dsa,ecdsa,ecdsa_sk,ed25519,ed25519_sk}": "keys/id_ed25519",
  "**/*.ppk": "keys/host.ppk",
  "**/*.{p12,pfx}": "keys/sign.pfx",
  "**/*.kdbx": "team.kdbx",
  "**/{.netrc,_netrc,.pgpass,.pypirc,.git-credentials}": ".netrc",
  "**/.aws/credentials": "home/.aws/credentials",
  "**/*.tfstate{,.backup}": "infra/terraform.tfstate.backup",
  "**/.{{bash,zsh,python,node_repl,psql,mysql}_history,Rhistory}": "analysis/.Rhistory",
};

Deno.test("BUILT_IN_DENY denies what each of its globs is there for", PURE, () => {
  assertEquals(BUILT_IN_DENY.map(({ glob }) => glob).toSorted(), Object.keys(EXAMPLES).toSorted());
  for (const [glob, path] of Object.entries(EXAMPLES)) {
    assert(compileGlobs([glob])(path), glob);
    assertEquals(check([path], {}).length, 1, path);
  }
});

const LEGITIMATE = [
  ".env.example",
  "web/.env.sample",
  ".env.dist",
  ".env.vault",
  ".env.schema",
  ".env.production.example",
  ".dev.vars.example",
  ".dvc/config",
  "venv/notes.md",
  "env/settings.py",
  ".github/workflows/dist.yml",
  "docs/coverage/index.md",
  "src/build/main.ts",
  "src/target/debug.ts",
  ".idea/codeStyles/Project.xml",
  "media/intro.swf",
  "lib/history.ts",
];

Deno.test(
  "ARTIFACTS tells an installed environment by its pyvenv.cfg, whatever its name",
  PURE,
  () => {
    const paths = ["a/env/pyvenv.cfg", "a/env/bin/python", "a/env2/x", "env/x"];
    assertEquals(check(paths, {}).map(({ path }) => path), [
      "a/env/bin/python",
      "a/env/pyvenv.cfg",
    ]);
    assertEquals(check(["pyvenv.cfg", "src/a.py"], {}).map(({ path }) => path), ["pyvenv.cfg"]);
    assertEquals(check(paths, { deny: [] }), []);
    assertEquals(check(paths, { allow: ["a/env/**"] }), []);
  },
);

Deno.test("ARTIFACTS tells a private key by its first line", PURE, () => {
  const find = (path: string, text: string | null): string[] => {
    const facts = makeFacts([{ path, kind: "file" }]);
    const bytes = new TextEncoder().encode(text ?? "");
    const contents = new Map([[path, { ok: true, bytes } as const]]);
    const policy: Policy = { schema: "kprovengine.policy.v1", artifacts: {} };
    assertEquals(ARTIFACTS.contentMarker?.(path, policy), "PRIVATE KEY");
    if (!ARTIFACTS.wantsContent(path, policy)) return ["not wanted"];
    return ARTIFACTS.check({ ...facts, contents: text === null ? new Map() : contents }, policy)
      .map(({ message }) => message);
  };
  const found = "it is tracked, and starts like a private key, which the built-in list denies";
  const starts = ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "];
  for (const kind of starts) {
    assertEquals(find("certs/server.pem", `-----BEGIN ${kind}PRIVATE KEY-----\nx`), [found], kind);
  }
  assertEquals(find("deploy", "\n-----BEGIN PRIVATE KEY-----\n"), [found]);
  assertEquals(find("a.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n"), [found]);
  assertEquals(find("my_key.bak", "-----BEGIN RSA PRIVATE KEY-----\n"), [found]);
  const block = (kind: string): string => `-----BEGIN ${kind}-----\nMIIB\n-----END ${kind}-----\n`;
  const key = block("RSA PRIVATE KEY");
  for (
    const before of [
      "\ufeff",
      "\r\n \n\t",
      "# of the old server\n\n",
      block("EC PARAMETERS"),
      block("CERTIFICATE").replaceAll("\n", "\r\n").repeat(200),
      "Bag Attributes\n    friendlyName: x\nKey Attributes: <No Attributes>\n",
      "Bag Attributes\n    localKeyID: 01\nsubject=CN = x\nissuer=CN = y\n" + block("CERTIFICATE"),
    ]
  ) assertEquals(find("server.pem", before + key), [found], before.slice(0, 40));
  for (const path of ["server.pem.bak", ".deploy", "tls.conf", "k.old", "SERVER.PEM", "a.pub"]) {
    assertEquals(find(path, key), [found], path);
  }
  const tectia = "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\n";
  assertEquals(find("host", tectia), [found]);
  assertEquals(find("host", `Write this:\n${key}`), []);
  assertEquals(find("host", block("CERTIFICATE") + block("PUBLIC KEY")), []);
  assertEquals(find("host", `-----BEGIN CERTIFICATE-----\n${key}`), []);
  assertEquals(find("docs/keys.md", `\`\`\`\n${key}`), []);
  assertEquals(find("certs/ca.pem", "-----BEGIN CERTIFICATE-----\nx"), []);
  assertEquals(find("id_rsa.pub", "ssh-rsa AAAA"), []);
  assertEquals(find("HOWTO", "Write -----BEGIN PRIVATE KEY----- at its start"), []);
  assertEquals(find("src/main.ts", ""), ["not wanted"]);
  // What nobody asked for is not missed.
  const gathered = {
    ...makeFacts([{ path: "deploy.key", kind: "submodule" }]),
    contents: new Map(),
  };
  assertEquals(ARTIFACTS.check(gathered, { schema: "kprovengine.policy.v1", artifacts: {} }), []);
  const source = { ...makeFacts([{ path: "src/main.ts", kind: "file" }]), contents: new Map() };
  assertEquals(ARTIFACTS.check(source, { schema: "kprovengine.policy.v1", artifacts: {} }), []);
  // Nor is it with a list of the policy's own.
  const own = { ...makeFacts([{ path: "deploy", kind: "file" }]), contents: new Map() };
  const policy: Policy = { schema: "kprovengine.policy.v1", artifacts: { deny: [] } };
  assertEquals(ARTIFACTS.check(own, policy), []);
  assertEquals(ARTIFACTS.wantsContent("deploy", policy), false);
  assertEquals(find("deploy.key", null), [
    "it may be a private key, and its content was not gathered",
  ]);
});

Deno.test(
  "ARTIFACTS tells a private key in UTF-16, as a redirection on Windows writes it",
  PURE,
  () => {
    const text = "\ufeff-----BEGIN PRIVATE KEY-----\r\n";
    const bytes = new Uint8Array(Uint16Array.from(text, (c) => c.charCodeAt(0)).buffer);
    const contents = new Map([["key.pem", { ok: true, bytes } as const]]);
    const facts = { ...makeFacts([{ path: "key.pem", kind: "file" }]), contents };
    const policy: Policy = { schema: "kprovengine.policy.v1", artifacts: {} };
    assertEquals(ARTIFACTS.check(facts, policy).map(({ code }) => code), ["artifacts.tracked"]);
  },
);

Deno.test("ARTIFACTS tells a directory of which all is denied once, with its number", PURE, () => {
  const installed = Array.from(
    { length: 30_000 },
    (_, i) => `web/node_modules/p${i % 99}/f${i}.js`,
  );
  assertEquals(check([...CLEAN, ...installed], {}), [{
    code: "artifacts.tracked",
    level: "error",
    path: "web/node_modules",
    line: null,
    column: null,
    message: "30000 files below it: each is tracked, and the built-in list denies " +
      '"**/node_modules{,/**}": installed packages of Node',
    hint: "git rm -r --cached -- web/node_modules",
  }]);
  const hint = (kept: readonly string[], allow: readonly string[]): string | null =>
    check([...kept, ...installed], { allow })[0]?.hint ?? null;
  assertEquals(
    hint(["web/node_modules/keep me"], ["**/keep me"]),
    "git rm -r --cached -- web/node_modules, and then git add -f -- 'web/node_modules/keep me'",
  );
  assertEquals(
    hint(["web/node_modules/keep a", "web/node_modules/keep b"], ["**/keep *"]),
    "git rm -r --cached -- web/node_modules, and then add the 2 allowed files again",
  );
  const number = (count: number, directory: string, artifacts: ArtifactsPolicy): string[] => {
    const paths = Array.from({ length: count }, (_, i) => `${directory}/f${i}`);
    return [...new Set(check(paths, artifacts).map(({ path }) => path ?? ""))];
  };
  assertEquals(number(10, "runs", {}).length, 10);
  assertEquals(number(11, "runs", {}), ["runs"]);
  // Not all of a directory is denied where what lies in it is, and what lies deeper is not, or where
  // only that is.
  assertEquals(number(11, "logs", { deny: ["logs/*"] }).length, 11);
  assertEquals(number(11, "logs/a", { deny: ["logs/*/*"] }).length, 11);
  assertEquals(number(11, "node_modules/a", { allow: ["node_modules/*"] }), ["node_modules/a"]);
  // Files that are denied one by one stay apart.
  const compiled = Array.from({ length: 20 }, (_, i) => `app/m${i}.pyc`);
  assertEquals(check(compiled, {}).length, 20);
});

Deno.test("BUILT_IN_DENY lets through what is often tracked on purpose", PURE, () => {
  assertEquals(check(LEGITIMATE, {}), []);
});

Deno.test("BUILT_IN_DENY and BUILT_IN_ALLOW have a reason of one line for each glob", PURE, () => {
  for (const { glob, reason } of [...BUILT_IN_DENY, ...BUILT_IN_ALLOW]) {
    assert(/^[A-Za-z][^\n]{5,60}[^.\n]$/.test(reason), `${glob}: ${reason}`);
  }
});
