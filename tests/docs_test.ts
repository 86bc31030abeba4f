import { parseProvenance, parseToolchain, renderCanonicalJson } from "../mod.ts";
import { loadCommand, renderCommandHelp, renderOverview } from "../src/commands/command.ts";
import { COMMANDS } from "../src/commands/main.ts";
import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { fromFileUrl } from "./paths.ts";
import { renderBuiltInDeny } from "./render_built_in_deny.ts";
import { renderCheckers } from "./render_checkers.ts";
import { renderRuntimeSources } from "./render_runtime_sources.ts";

const TOP = fromFileUrl(new URL("..", import.meta.url));

function listDocs(): string[] {
  const listed = ["docs", "docs/examples", ".github"].flatMap((directory) =>
    [...Deno.readDirSync(`${TOP}/${directory}`)]
      .filter(({ name }) => name.endsWith(".md"))
      .map(({ name }) => `${directory}/${name}`)
  );
  return ["README.md", ...listed].sort();
}

function read(path: string): string {
  return Deno.readTextFileSync(`${TOP}/${path}`);
}

function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

for (const path of listDocs()) {
  Deno.test(`no link in ${path} is dead`, () => {
    const text = read(path).replace(/```[\s\S]*?```/g, "");
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https:\/\//.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      const url = new URL(file === "" ? `/${path}` : file, `file:///${path}`);
      const resolved = url.pathname.slice(1);
      assert(Deno.statSync(`${TOP}/${resolved}`).isFile, target);
      if (anchor !== undefined) assert(anchorsOf(read(resolved)).includes(anchor), target);
    }
  });
}

/** Every way in which a text starts kprov from JSR, in its blocks of code. */
function listJsrLines(text: string, isCode: boolean): string[] {
  const blocks = isCode ? [text] : text.match(/```[\s\S]*?```/g) ?? [];
  return blocks.flatMap((block) =>
    block.match(/\bdeno (?:run|install)\b(?:(?!\bdeno\b)[\s\S])*?jsr:@kprov\/cli/g) ?? []
  );
}

Deno.test("every line that starts kprov from JSR keeps the project's own configuration and lockfile out", () => {
  const workflows = [...Deno.readDirSync(`${TOP}/.github/workflows`)]
    .map(({ name }) => `.github/workflows/${name}`);
  const pages = [...listDocs(), "mod.ts"].flatMap((path) => listJsrLines(read(path), false));
  const code = [...workflows, ".pre-commit-hooks.yaml", ".github/docker/Dockerfile"]
    .flatMap((path) => listJsrLines(read(path), true));
  assert(pages.length >= 7, pages.join("\n"));
  for (const line of [...pages, ...code]) assertStringIncludes(line, " --no-config --no-lock ");
});

Deno.test("docs/cli.md says what --help says, for every command", async () => {
  const text = read("docs/cli.md");
  assertStringIncludes(text, `\`\`\`text\n${renderOverview(COMMANDS)}\`\`\``);
  for (const entry of COMMANDS) {
    const command = await loadCommand(entry);
    assertStringIncludes(
      text,
      `## kprov ${command.name}\n\n\`\`\`text\n${renderCommandHelp(command)}\`\`\``,
    );
  }
});

Deno.test("no line of any --help is wider than a terminal of 80 columns", async () => {
  const helps = [renderOverview(COMMANDS)];
  for (const entry of COMMANDS) helps.push(renderCommandHelp(await loadCommand(entry)));
  const lines = helps.flatMap((help) => help.split("\n"));
  assertEquals(lines.filter((line) => line.length > 80), []);
});

Deno.test("every --help has an example of its own command, and every exit code that holds for all", async () => {
  for (const { name, load } of COMMANDS) {
    const { usage, examples, exitCodes, permissions, description } = await load();
    assert(usage.length > 0 && description.length > 0 && permissions.endsWith("."), name);
    assert(examples.some(([line]) => line.includes("kprov ")), name);
    const codes = exitCodes.map(([code]) => code);
    assertEquals(codes, codes.toSorted((a, b) => a - b), name);
    for (const code of [0, 64]) assert(codes.includes(code), `${name}: ${code}`);
  }
});

Deno.test("docs/governance.md shows the built-in deny list with its reasons", () => {
  assertStringIncludes(read("docs/governance.md"), renderBuiltInDeny());
});

Deno.test("docs/governance.md shows the checkers that are known", () => {
  assertStringIncludes(read("docs/governance.md"), renderCheckers());
});

Deno.test("docs/governance.md shows everything by which a runtime is declared", () => {
  // The table's columns are aligned where it stands.
  const plain = (text: string): string => text.replace(/ +/g, " ").replace(/-{3,}/g, "---");
  assertStringIncludes(plain(read("docs/governance.md")), plain(renderRuntimeSources()));
});

Deno.test("every package that deno.json maps has its line in docs/dependencies.md", () => {
  const text = read("docs/dependencies.md");
  const targets: readonly string[] = Object.values(JSON.parse(read("deno.json")).imports);
  // The doors of what only the tests use stand in their place; those in src/ import what is mapped too.
  const packages = new Set(
    targets.filter((it) => !it.startsWith("./src/")).map((target) => {
      const pinned = target.startsWith("./tests/")
        ? /"(npm:[^"]+)"/.exec(read(target))?.[1]
        : target;
      return /^npm:((?:@[^/]+\/)?[^@/]+)@/.exec(pinned ?? "")?.[1] ?? target;
    }),
  );
  for (const name of packages) assertStringIncludes(text, `| \`${name}\``);
});

/** A symbol of `deno doc --json`, as far as it matters here. */
interface PublicSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly jsDoc?: {
      readonly doc?: string;
      readonly tags?: readonly { readonly kind: string }[];
    };
  }[];
}

async function listPublicSymbols(entry: string): Promise<readonly PublicSymbol[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", entry],
    cwd: TOP,
  }).output();
  const modules: readonly { readonly symbols: readonly PublicSymbol[] }[] = Object.values(
    JSON.parse(new TextDecoder().decode(stdout)).nodes,
  );
  return modules.flatMap(({ symbols }) => symbols);
}

function hasExample({ declarations }: PublicSymbol): boolean {
  return declarations.every(({ jsDoc }) => jsDoc?.tags?.some(({ kind }) => kind === "example"));
}

function linksOf({ declarations }: PublicSymbol): string[] {
  return declarations.flatMap(({ jsDoc }) =>
    [...(jsDoc?.doc ?? "").matchAll(/\{@linkcode (\w+)\}/g)].map(([, name = ""]) => name)
  );
}

function isCallable({ declarations }: PublicSymbol): boolean {
  return declarations.some(({ kind }) => kind === "function" || kind === "class");
}

for (const entry of ["mod.ts", "src/guards/library.ts", "src/commands/library.ts"]) {
  Deno.test(`every function and class of ${entry} has an example, and no link leads nowhere`, async () => {
    const symbols = await listPublicSymbols(entry);
    const known = new Set(symbols.map(({ name }) => name));
    const callable = symbols.filter(isCallable);
    assert(callable.length > 0, entry);
    assertEquals(callable.filter((symbol) => !hasExample(symbol)).map(({ name }) => name), []);
    for (const symbol of symbols) {
      const dead = linksOf(symbol).filter((link) => !known.has(link));
      assertEquals(dead, [], `${symbol.name} links to nothing`);
    }
  });
}

Deno.test("the page of mod.ts names every function that it exports", async () => {
  const page = read("mod.ts").split("* @module")[0] ?? "";
  for (const { name, declarations } of await listPublicSymbols("mod.ts")) {
    if (declarations[0]?.kind === "function") assertStringIncludes(page, `\`${name}\``);
  }
});

Deno.test("every page of docs/ opens with its question and whom it is for, and the README names each", () => {
  const readme = read("README.md");
  for (
    const path of listDocs().filter((path) => /^docs\/(examples\/README|[^/]+)\.md$/.test(path))
  ) {
    const [heading = "", opening = ""] = read(path).split("\n\n");
    assert(heading.startsWith("# "), path);
    const form = /^[A-Z][^?.]+\? For (people|those|the|reviewers)/;
    assert(form.test(opening.replaceAll("\n", " ")), `${path}: ${opening}`);
    assertStringIncludes(readme, `](${path})`);
  }
});

Deno.test("the example of the build type is a statement as kprov writes it", () => {
  const [, example = ""] = read("docs/buildtypes/run/v1.md").split("```json\n");
  const text = example.split("```")[0] ?? "";
  assertEquals(renderCanonicalJson(parseProvenance(JSON.parse(text))), text);
});

Deno.test("docs/threat_model.md names tests that exist, for each threat one", () => {
  const threats = read("docs/threat_model.md").split("## Threats")[1]?.split("\n## ")[0] ?? "";
  const rows = threats.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  assert(rows.length > 20);
  for (const row of rows) {
    const [, path = "", name = ""] = /\| `([^`]+)`: (.+?) *\|$/.exec(row) ?? [];
    assertStringIncludes(read(path), name, row);
  }
});

Deno.test("the toolchain.json that docs/formats.md shows is one", () => {
  const section = /^## toolchain\.json\n([\s\S]*?)^## /m.exec(read("docs/formats.md"))?.[1] ?? "";
  const shown = /^```json\n([\s\S]*?)^```$/m.exec(section)?.[1] ?? "";
  const toolchain = parseToolchain(JSON.parse(shown));
  assertEquals(renderCanonicalJson(toolchain), shown);
  assertEquals(toolchain.runtimes?.map(({ name }) => name), ["python"]);
});
