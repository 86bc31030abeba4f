import { parse as parseToml, TomlDate, TomlError, type TomlValue } from "smol-toml";
import { type Finding, type FindingDetails, makeFinding, sortFindings } from "../../base/error.ts";
import { compileGlobs } from "../../base/glob.ts";
import {
  findJsonValue,
  isTomlTable,
  placeInText,
  placeOfTomlKey,
} from "../../base/located_values.ts";
import { escapeText, quote } from "../../base/quote.ts";
import { decodeText } from "../../base/text.ts";
import { getYamlValue, type YamlNode, type YamlResult } from "../actions/yaml.ts";
import {
  type ContentHit,
  DOCKERFILE_PATH,
  type Guard,
  type RepositoryFacts,
  type TrackedEntry,
} from "../guard.ts";
import type { IdentityPolicy, Policy, Surface } from "../policy.ts";
import { checkDockerLabels, dropDescriptionHits } from "./docker_labels.ts";
import {
  foldConfusable,
  isIgnorable,
  isSameLetter,
  listProtectedNames,
  removeMarks,
} from "./lookalike.ts";
import { createContentScanner } from "./scanner.ts";

const YAML_PATH = /\.(?:ya?ml|cff)$|(?:^|\/)(?:pixi|pubspec)\.lock$/i;
const TOML_PATH = /\.toml$|(?:^|\/)(?:Pipfile|(?:Cargo|uv|poetry|pdm)\.lock)$/i;
const INDEX = /^(?:0|[1-9]\d*)$/;
/** Deepest nesting of TOML that is followed. */
const DEEPEST_TOML = 64;

/**
 * Checks that each surface holds what it must. A pointer leads into TOML or YAML where the file's name
 * says so, else into JSON with or without comments.
 */
function checkSurfaces(
  surfaces: readonly Surface[],
  facts: RepositoryFacts,
  tracked: readonly TrackedEntry[],
): Finding[] {
  const wanted = new Set(surfaces.map(({ path }) => path));
  const present = new Set(tracked.map(({ path }) => path).filter((path) => wanted.has(path)));
  return surfaces.flatMap((surface) => {
    if (!present.has(surface.path)) {
      return [missing(surface, `${quote(surface.path)} is not tracked by git`)];
    }
    if ("pointer" in surface && YAML_PATH.test(surface.path)) {
      return checkPointer(surface, findYamlValue(facts.yaml.get(surface.path), surface.pointer));
    }
    const content = facts.contents.get(surface.path);
    const decoded = content?.ok === true
      ? decodeText(content.bytes)
      : content ?? { ok: false, reason: "its content was not read" };
    if (!decoded.ok) {
      return [missing(surface, `Cannot read ${quote(surface.path)}: ${decoded.reason}`)];
    }
    const { text } = decoded;
    if (!("pointer" in surface)) return checkContains(surface, text);
    const find = TOML_PATH.test(surface.path) ? findTomlValue : findPlacedJsonValue;
    return checkPointer(surface, find(text, surface.pointer));
  });
}

/** A value that a pointer leads to, or why there is none. */
type PointedValue =
  | {
    readonly ok: true;
    /** The value as text, or null where it is none. */
    readonly text: string | null;
    /** It, as it can be shown. */
    readonly source: string;
    readonly place: FindingDetails;
  }
  | { readonly ok: false; readonly reason: string; readonly place: FindingDetails };

function checkPointer(
  { path, pointer, equals }: Extract<Surface, { pointer: string }>,
  value: PointedValue,
): Finding[] {
  if (!value.ok) {
    const message = `Cannot find ${quote(pointer)}: ${value.reason}`;
    return [missing({ path, pointer, equals }, message, value.place)];
  }
  if (value.text === equals) return [];
  const found = value.text === null ? shorten(value.source) : quote(value.text);
  return [makeFinding(
    "identity.surface_mismatch",
    `${quote(pointer)} must be ${quote(equals)}, but is ${found}`,
    { path, ...value.place, hint: `set it to ${quote(equals)}` },
  )];
}

const NO_VALUE = "it has no such value";

/** The keys and indexes of a JSON Pointer (RFC 6901). */
function splitPointer(pointer: string): readonly string[] {
  return pointer.split("/").slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function findPlacedJsonValue(text: string, pointer: string): PointedValue {
  const value = findJsonValue(text, pointer);
  return { ...value, place: value.index === null ? {} : placeInText(text, value.index) };
}

/** A plain `1.10` is the text that it is written as: nobody means 1.1 by it. */
function findYamlValue(yaml: YamlResult | undefined, pointer: string): PointedValue {
  if (yaml === undefined) return { ok: false, reason: "its content was not read", place: {} };
  if (!yaml.ok) {
    const { message, line, column } = yaml;
    return { ok: false, reason: message, place: { line, column } };
  }
  let node: YamlNode | null = yaml.node;
  for (const key of splitPointer(pointer)) {
    node = node?.kind === "seq" && INDEX.test(key)
      ? node.items[Number(key)] ?? null
      : getYamlValue(node, key);
  }
  if (node === null) return { ok: false, reason: NO_VALUE, place: {} };
  const place = node.position;
  return node.kind === "scalar"
    ? { ok: true, text: node.source, source: node.source, place }
    : { ok: true, text: null, source: node.kind === "seq" ? "[…]" : "{…}", place };
}

function findTomlValue(text: string, pointer: string): PointedValue {
  const keys = splitPointer(pointer);
  let value: TomlValue;
  try {
    value = parseToml(text, { maxDepth: DEEPEST_TOML, integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    const [reason = ""] = error.message.split("\n");
    return {
      ok: false,
      reason: reason.replace(/^Invalid TOML document/, "it is not TOML"),
      place: { line, column },
    };
  }
  for (const key of keys) {
    const next: TomlValue | undefined = Array.isArray(value)
      ? INDEX.test(key) ? value[Number(key)] : undefined
      : isTomlTable(value) && Object.hasOwn(value, key)
      ? value[key]
      : undefined;
    if (next === undefined) return { ok: false, reason: NO_VALUE, place: {} };
    value = next;
  }
  const place = placeOfTomlValue(text, keys);
  if (typeof value === "string") return { ok: true, text: value, source: value, place };
  return { ok: true, text: null, source: showTomlValue(value), place };
}

function showTomlValue(value: TomlValue): string {
  // As text it would be told in the time zone of this machine.
  if (value instanceof TomlDate) return value.toISOString();
  return Array.isArray(value) ? "[…]" : isTomlTable(value) ? "{…}" : String(value);
}

/** Where a value starts, or the inline table or array that holds it: the parser keeps no places. */
function placeOfTomlValue(text: string, keys: readonly string[]): FindingDetails {
  const place = placeOfTomlKey(text, keys);
  if (place === null) return {};
  const line = text.split("\n", place.line)[place.line - 1] ?? "";
  const [key] = /^\s*(?:[^=#"']+|"[^"]*"|'[^']*'|[^=#]+?)\s*=[ \t]*/.exec(line) ?? [];
  return key === undefined ? place : { line: place.line, column: key.length + 1 };
}

function checkContains(surface: Extract<Surface, { contains: string }>, text: string): Finding[] {
  const { path, contains } = surface;
  const search = findWholeToken(text, contains);
  if (search.found === "whole") return [];
  const hint = `Write ${quote(contains)} in it, as a word of its own`;
  if (search.found === "nowhere") {
    return [makeFinding(
      "identity.surface_mismatch",
      `${quote(path)} must contain ${quote(contains)}, but does not`,
      { path, hint },
    )];
  }
  return [makeFinding(
    "identity.surface_mismatch",
    `${quote(path)} must contain ${quote(contains)}, but has only ${quote(search.longer)}`,
    { path, ...placeInText(text, search.index), hint },
  )];
}

function missing(surface: Surface, message: string, place: FindingDetails = {}): Finding {
  const held = "pointer" in surface
    ? `${quote(surface.equals)} at ${quote(surface.pointer)}`
    : quote(surface.contains);
  const hint = `the policy expects ${held} there`;
  return makeFinding("identity.surface_missing", message, { path: surface.path, hint, ...place });
}

/** Source text of a value that is no string, on one line and not without end. */
function shorten(source: string): string {
  const shown = source.length > 60 ? `${source.slice(0, 60)}…` : source;
  return /^[-\w.+]*$/.test(shown) ? shown : quote(shown);
}

/** Where a text was looked for as a whole token. */
type TokenSearch =
  | { readonly found: "whole" }
  /** Only as a part of something longer, which starts there. */
  | { readonly found: "part"; readonly index: number; readonly longer: string }
  | { readonly found: "nowhere" };

const NAME_CHARACTER = /[\p{L}\p{M}\p{N}_-]/u;
const NAME_BEFORE = /[\p{L}\p{M}\p{N}_-]$/u;
// More of a name, or of a path: `-x`, `.git`, `/x`, `%2e`.
const NAME_BEHIND = /^(?:[\p{L}\p{M}\p{N}_-]|\.[\p{L}\p{N}]|\/[\p{L}\p{N}_.~-]|%[0-9a-f]{2})/iu;
// The host of a URL is another one with a name and a dot before it, or with a port or user behind.
const HOST = /^[\w-]+\.[\w.-]+(?:\/|$)/;
const HOST_BEFORE = /[\p{L}\p{M}\p{N}_-]\.$/u;
const ONLY_HOST = /^(?:[a-z][a-z+.-]*:\/\/)?[\w-]+\.[\w.-]+$/i;
const HOST_BEHIND = /^(?:@|:[\p{L}\p{N}])/u;
const LONGEST_SHOWN = 200;

/** Looks for a text that is not inside a longer name, and not followed by more of a name or path. */
function findWholeToken(content: string, token: string): TokenSearch {
  let part: TokenSearch = { found: "nowhere" };
  const cutsBefore = [
    ...(startsName(token) ? [NAME_BEFORE] : []),
    ...(HOST.test(token) ? [HOST_BEFORE] : []),
  ];
  const cutsBehind = [
    ...(endsName(token) ? [NAME_BEHIND] : []),
    ...(ONLY_HOST.test(token) ? [HOST_BEHIND] : []),
  ];
  for (
    let index = content.indexOf(token);
    index !== -1;
    index = content.indexOf(token, index + 1)
  ) {
    const before = content.slice(Math.max(0, index - 3), index);
    const behind = content.slice(index + token.length, index + token.length + 4);
    const isCut = cutsBefore.some((cut) => cut.test(before)) ||
      cutsBehind.some((cut) => cut.test(behind));
    if (!isCut) return { found: "whole" };
    if (part.found === "nowhere") part = { found: "part", ...widen(content, index, token) };
  }
  return part;
}

function startsName(token: string): boolean {
  return NAME_CHARACTER.test(String.fromCodePoint(token.codePointAt(0) ?? 0));
}

// A URL that ends in "/" goes on with the name that follows.
function endsName(token: string): boolean {
  return NAME_BEFORE.test(token) || token.endsWith("/");
}

/** The run of visible characters around a place. */
function widen(
  content: string,
  index: number,
  token: string,
): { readonly index: number; readonly longer: string } {
  const name = HOST.test(token) ? /[\p{L}\p{M}\p{N}_.-]*$/u : /[\p{L}\p{M}\p{N}_-]*$/u;
  const before = name.exec(content.slice(Math.max(0, index - 50), index));
  const start = index - (before?.[0].length ?? 0);
  const end = index + token.length;
  const behind = /^[^\s"'`<>()[\]{},;]*/u.exec(content.slice(end, end + LONGEST_SHOWN));
  return { index: start, longer: content.slice(start, end) + (behind?.[0] ?? "") };
}

/**
 * The identity guard: the project has the policy's name in every place that must have it, the display
 * name is used only where it is allowed, and there is no look-alike anywhere.
 *
 * @example
 * ```ts
 * import { createContentScanner, IDENTITY, type Policy } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = {
 *   schema: "kprovengine.policy.v1",
 *   identity: { technical_name: "acme-etl", forbidden_tokens: ["acme-legacy"] },
 * };
 * const [path, bytes] = ["README.md", new TextEncoder().encode("# acme-legacy\n")];
 * const findings = IDENTITY.check({
 *   tracked: [{ path, kind: "file" }],
 *   contents: new Map(),
 *   yaml: new Map(),
 *   hits: createContentScanner(policy).scan(path, bytes),
 *   runningDeno: "2.9.6",
 *   governance: null,
 * }, policy);
 * assertEquals(findings.map(({ code, line, column }) => [code, line, column]), [
 *   ["identity.forbidden_token", 1, 3],
 * ]);
 * ```
 */
export const IDENTITY: Guard = {
  name: "identity",
  isConfigured: (policy) => policy.identity !== undefined,
  wantsContent,
  wantsYaml: (path, { identity }) =>
    YAML_PATH.test(path) &&
    (identity?.surfaces ?? []).some((surface) => surface.path === path && "pointer" in surface),
  check: (facts, policy) => policy.identity === undefined ? [] : check(facts, policy.identity),
};

// The globs of one policy are compiled once, though each path is asked for by itself.
const dockerfileMatchers = new WeakMap<IdentityPolicy, (path: string) => boolean>();

function wantsContent(path: string, { identity }: Policy): boolean {
  if (identity === undefined) return false;
  return (identity.surfaces ?? []).some((surface) => surface.path === path) ||
    isDockerfile(path, identity);
}

function isDockerfile(path: string, identity: IdentityPolicy): boolean {
  if (identity.dockerfiles === undefined) return DOCKERFILE_PATH.test(path);
  let matches = dockerfileMatchers.get(identity);
  if (matches === undefined) {
    matches = compileGlobs(identity.dockerfiles);
    dockerfileMatchers.set(identity, matches);
  }
  return matches(path);
}

function check(facts: RepositoryFacts, identity: IdentityPolicy): Finding[] {
  const { tracked } = facts;
  if (!("length" in tracked)) return [makeFinding(tracked.code, tracked.message)];
  const hits = facts.hits.filter(({ code }) => code.startsWith("identity."));
  const dockerfiles = tracked.filter(({ path, kind }) =>
    kind !== "submodule" && isDockerfile(path, identity)
  );
  const findings = [
    ...checkSurfaces(identity.surfaces ?? [], facts, tracked),
    ...checkPaths(identity, tracked),
    ...checkDockerLabels(identity.docker_labels ?? {}, dockerfiles, facts),
    ...dropDescriptionHits(hits, dockerfiles, facts).map((hit) => describeHit(hit, "content")),
    ...tracked.flatMap(checkReachable),
    ...(facts.missing ?? []).map(reportMissing),
  ];
  return sortFindings(findings);
}

/** What git stores of it may hold anything. */
function reportMissing(path: string): Finding {
  return makeFinding("identity.missing_file", "git tracks it, but it does not exist", {
    path,
    hint: "restore it, or remove it from git's index",
  });
}

/** Nobody knows what git stores at a path that lies behind a link. */
function checkReachable({ path, behindLink }: TrackedEntry): Finding[] {
  if (behindLink === undefined) return [];
  const message = `it lies behind the symbolic link ${quote(behindLink)}, and is not read`;
  return [makeFinding("identity.behind_link", message, {
    path,
    hint: "replace the link by the directory, or remove the path from git's index",
  })];
}

/** Makes the finding of a hit in a file, or in its path, which has no line. */
function describeHit(hit: ContentHit, place: "content" | "path"): Finding {
  const { path, code } = hit;
  const where = place === "content" ? { line: hit.line, column: hit.column } : {};
  const { message, hint } = explain(hit, place === "content" ? "the content" : "the path");
  return makeFinding(code, message, { path, ...where, hint });
}

function explain(
  { code, text, token, unlisted }: ContentHit,
  where: string,
): { readonly message: string; readonly hint: string } {
  if (unlisted !== undefined) return explainRest(code, unlisted, where);
  switch (code) {
    case "identity.forbidden_token":
      return {
        message: `forbidden token ${quote(token)} in ${where}`,
        hint: "remove it, or allow it for this path under allowances in the policy",
      };
    case "identity.display_name":
      return {
        message: `display name ${quote(token)} in ${where}, where it is not allowed`,
        hint: "use the technical name, or add the path to identity.display_name_allowed",
      };
    default:
      return {
        message: `${quote(text)} in ${where} looks like ${quote(token)} but is not`,
        hint: escapeText(`it has ${describeDifference(text, token)}`),
      };
  }
}

/** A character of a text with the letters that it folds to, and where they stand among all. */
interface PlacedCharacter {
  readonly character: string;
  readonly letters: string;
  readonly start: number;
}

const MOST_DIFFERENCES = 5;

/** Says in which characters a look-alike differs from the name: `U+043E in place of "o"`. */
export function describeDifference(text: string, name: string): string {
  const expected = placeCharacters(name);
  const numbers = new Map<string, string[]>();
  for (const placed of placeCharacters(text)) {
    const meant = placed.letters === "" ? [] : expected.filter((other) => overlap(placed, other));
    const joined = meant.map(({ character }) => character).join("");
    if (isSameLetter(placed.character, joined)) continue;
    // Both of `rn` stand in the place of one `m`.
    const key = joined === "" ? "added" : `in place of ${JSON.stringify(joined)}`;
    const known = numbers.get(key) ?? [];
    numbers.set(key, [...new Set([...known, numberOf(placed.character)])]);
  }
  const listed = [...numbers].map(([key, all]) => `${all.join(" ")} ${key}`);
  const more = listed.length - MOST_DIFFERENCES;
  return listed.slice(0, MOST_DIFFERENCES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function overlap(a: PlacedCharacter, b: PlacedCharacter): boolean {
  return b.letters !== "" && b.start < a.start + a.letters.length &&
    a.start < b.start + b.letters.length;
}

function placeCharacters(text: string): readonly PlacedCharacter[] {
  let start = 0;
  return [...text].map((character) => {
    const letters = isIgnorable(character) ? "" : removeMarks(foldConfusable(character));
    const placed = { character, letters, start };
    start += letters.length;
    return placed;
  });
}

function numberOf(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `U+${hex.padStart(4, "0")}`;
}

const RULE_NAMES: Readonly<Record<string, string>> = {
  "identity.forbidden_token": "a forbidden token",
  "identity.display_name": "the display name",
  "identity.lookalike": "a look-alike",
};

function explainRest(
  code: string,
  unlisted: number,
  where: string,
): { readonly message: string; readonly hint: string } {
  const places = unlisted === 1 ? "1 more place" : `${unlisted} more places`;
  return {
    message: `${RULE_NAMES[code] ?? code} stands in ${places} of ${where}, from here on`,
    hint: "only the first of them are listed one by one",
  };
}

/**
 * Checks the tracked paths as contents are checked: for forbidden tokens, for the display name
 * where it may not stand, and for look-alikes. In a path, unlike in prose, an invisible character
 * beside a name is a disguise too.
 */
export function checkPaths(identity: IdentityPolicy, tracked: readonly TrackedEntry[]): Finding[] {
  const scanner = createContentScanner({ schema: "kprovengine.policy.v1", identity });
  const names = listCaseless(listProtectedNames(identity));
  const encode = makeEncoder();
  const findings: Finding[] = [];
  for (const { path } of tracked) {
    const hits = scanner.scan(path, encode(path));
    for (const hit of hits) findings.push(describeHit(hit, "path"));
    for (const hit of findFringed(path, names)) findings.push(describeHit(hit, "path"));
  }
  return findings;
}

/** An encoder to UTF-8 whose result lasts until the next: new memory for each path is half of the time. */
function makeEncoder(): (text: string) => Uint8Array {
  const encoder = new TextEncoder();
  let buffer = new Uint8Array(4096);
  return (text) => {
    if (buffer.length < 3 * text.length) buffer = new Uint8Array(3 * text.length);
    return buffer.subarray(0, encoder.encodeInto(text, buffer).written);
  };
}

/** Of names that differ in case alone, the first. */
function listCaseless(names: readonly string[]): readonly string[] {
  return [...Map.groupBy(names, (name) => name.toLowerCase()).values()].flatMap(([name]) =>
    name ?? []
  );
}

/** Names with an invisible character before or behind them. */
function findFringed(path: string, names: readonly string[]): ContentHit[] {
  if (!hasInvisible(path)) return [];
  const folded = foldCase(path);
  return names.flatMap((name) => {
    const hits: ContentHit[] = [];
    const wanted = foldCase(name);
    let start = folded.indexOf(wanted);
    for (; start !== -1; start = folded.indexOf(wanted, start + name.length)) {
      const end = start + name.length;
      // Whole characters: a tag or a variation selector may take two code units.
      const before = [...path.slice(Math.max(0, start - 2), start)].at(-1) ?? "";
      const [behind = ""] = path.slice(end, end + 2);
      const text = before + path.slice(start, end) + behind;
      if (!hasInvisible(text)) continue;
      hits.push({ path, code: "identity.lookalike", line: 1, column: 1, text, token: name });
    }
    return hits;
  });
}

const PLAIN = /^[\x20-\x7e]*$/;

function hasInvisible(text: string): boolean {
  return !PLAIN.test(text) && [...text].some(isIgnorable);
}

/** Lower case, but for the few characters that it would make longer: places must stay where they are. */
function foldCase(text: string): string {
  return text.replace(/./gsu, (character) => {
    const lower = character.toLowerCase();
    return lower.length === character.length ? lower : character;
  });
}
