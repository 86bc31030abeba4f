/**
 * The project's own lint rules. They execute the import rule of docs/architecture.md:
 *
 * - `kprov/layers`: a module imports only from the layers that its own may see.
 * - `kprov/pure`: base/, evidence/ and guards/ use nothing but their arguments.
 *
 * @module
 */

/** What each layer may import: other layers, and packages by their bare names. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: ["base", "zod/mini", "jsonc-parser", "smol-toml"],
  evidence: ["evidence", "base", "zod/mini"],
  guards: [
    "guards",
    "base",
    "zod/mini",
    "@actions/expressions/ast",
    "@actions/expressions/data",
    "@actions/expressions/funcs",
    "@actions/expressions/lexer",
    "@actions/expressions/parser",
    "@actions/expressions/result",
    "dockerfile-ast",
    "jsonc-parser",
    "smol-toml",
    "unbash",
    "unhomoglyph/data.json",
    "yaml-without-env",
  ],
  io: ["io", "evidence", "guards", "base", "node:fs"],
  show: ["show", "evidence", "guards", "base"],
  commands: ["commands", "zod/mini", "show", "io", "evidence", "guards", "base"],
};

const PURE_LAYERS: readonly string[] = ["base", "evidence", "guards"];

/** What single modules may import beyond their layer, each the one door for it. */
const DOORS: Readonly<Record<string, RegExp>> = {
  "src/base/canonical_json.ts": /^node:crypto$/,
  "src/base/std.ts": /^(@std\/|\.\.\/\.\.\/deno\.json$)/,
  "src/commands/write_run.ts": /^\.\.\/\.\.\/deno\.lock$/,
  "src/io/git/object_store.ts": /^node:(crypto|zlib)$/,
  // A worker gets it as a text, which can import nothing but built-in modules.
  "src/io/hash/digest.js": /^node:(crypto|fs)$/,
};

/** Globals that read or change the world outside. */
const IMPURE_GLOBALS: ReadonlySet<string> = new Set([
  "Deno",
  "EventSource",
  "WebSocket",
  "Worker",
  "alert",
  "caches",
  "confirm",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "localStorage",
  "navigator",
  "performance",
  "process",
  "prompt",
  "queueMicrotask",
  "sessionStorage",
  "setInterval",
  "setTimeout",
]);

/** Members whose answer depends on the clock, on chance or on the locale. */
const IMPURE_MEMBERS: ReadonlySet<string> = new Set([
  "Date.now",
  "Math.random",
  "localeCompare",
  "toLocaleDateString",
  "toLocaleLowerCase",
  "toLocaleString",
  "toLocaleTimeString",
  "toLocaleUpperCase",
]);

/** The path from the checkout's top, or null for a file outside mod.ts, cli.ts and src. */
function toModulePath(filename: string): string | null {
  return /(?:^|\/)((?:src\/.*|mod|cli)\.[jt]s)$/.exec(filename.replaceAll("\\", "/"))?.[1] ?? null;
}

function layerOf(modulePath: string): string | null {
  if (!modulePath.startsWith("src/")) return null;
  const parts = modulePath.split("/");
  return parts.length === 2 ? null : parts[1] ?? null;
}

function resolveImport(modulePath: string, specifier: string): string {
  const base = new URL(specifier, `file:///${modulePath}`);
  return base.pathname.slice(1);
}

function describeImportFault(modulePath: string, specifier: string): string | null {
  const layer = layerOf(modulePath);
  if (layer === null || DOORS[modulePath]?.test(specifier)) return null;
  const allowed = LAYERS[layer];
  if (allowed === undefined) return `src/${layer}/ is no layer of docs/architecture.md`;
  const isRelative = specifier.startsWith(".");
  const target = isRelative ? layerOf(resolveImport(modulePath, specifier)) : specifier;
  if (target !== null && allowed.includes(target)) return null;
  return `${layer} must not import ${isRelative ? target ?? "an entry point" : specifier}`;
}

type SourceNode = { readonly source: Deno.lint.Node | null };

const layers: Deno.lint.Rule = {
  create(context) {
    const modulePath = toModulePath(context.filename);
    if (modulePath === null) return {};
    const check = (node: Deno.lint.Node & SourceNode): void => {
      if (node.source === null) return;
      const specifier = node.source.type === "Literal" ? node.source.value : null;
      const fault = typeof specifier === "string"
        ? describeImportFault(modulePath, specifier)
        : "an import must name its module";
      if (fault !== null) context.report({ node, message: fault });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportAllDeclaration: check,
      ExportNamedDeclaration: check,
    };
  },
};

/** Whether an identifier is only a name after a dot or before a colon. */
function isPropertyName(node: Deno.lint.Identifier): boolean {
  const parent = node.parent;
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  if (parent.type === "Property" || parent.type === "PropertyDefinition") {
    return parent.key === node && !parent.computed;
  }
  return parent.type === "TSPropertySignature";
}

function describeMember(node: Deno.lint.MemberExpression): string | null {
  if (node.property.type !== "Identifier" || node.computed) return null;
  const name = node.property.name;
  const whole = node.object.type === "Identifier" ? `${node.object.name}.${name}` : name;
  return [whole, name].find((candidate) => IMPURE_MEMBERS.has(candidate)) ?? null;
}

const pure: Deno.lint.Rule = {
  create(context) {
    const modulePath = toModulePath(context.filename);
    if (modulePath === null || !PURE_LAYERS.includes(layerOf(modulePath) ?? "")) return {};
    const report = (node: Deno.lint.Node, what: string): void => {
      context.report({ node, message: `a pure layer must not use ${what}` });
    };
    return {
      Identifier(node) {
        if (IMPURE_GLOBALS.has(node.name) && !isPropertyName(node)) report(node, node.name);
      },
      MemberExpression(node) {
        const member = describeMember(node);
        if (member !== null) report(node, member);
      },
      NewExpression(node) {
        const isDate = node.callee.type === "Identifier" && node.callee.name === "Date";
        if (isDate && node.arguments.length === 0) report(node, "the clock");
      },
      CallExpression(node) {
        if (node.callee.type === "Identifier" && node.callee.name === "Date") {
          report(node, "the clock");
        }
      },
      MetaProperty(node) {
        report(node, "import.meta");
      },
    };
  },
};

const plugin: Deno.lint.Plugin = { name: "kprov", rules: { layers, pure } };

export default plugin;
