/**
 * What the files of Python projects declare: pyproject.toml with the tables of its tools, setup.cfg,
 * setup.py, tox.ini, Pipfile, hatch.toml, pixi.toml, and scripts with metadata of their own (PEP 723);
 * and Conda's specs of packages, as environment.yml, pixi.toml and `conda install` have them.
 *
 * @module
 */

import type { TomlValue } from "smol-toml";
import {
  findTomlValues,
  isTomlTable,
  parseToml,
  placeInText,
  placeOfTomlKey,
} from "../../base/located_values.ts";
import { MAX_RANGE_LENGTH } from "../../base/std.ts";
import { getYamlValue, type YamlNode } from "../actions/yaml.ts";
import {
  type Claim,
  claimFloating,
  claimRange,
  claimVersion,
  type Declaration,
  type DeclaringField,
  type RuntimeName,
} from "./declaration.ts";
import {
  type Interval,
  makeRange,
  parseNpmRange,
  parsePep440Range,
  type RangeResult,
} from "./version_range.ts";

/** What a spec says of a runtime. */
interface SpecClaim {
  readonly runtime: RuntimeName;
  /** The version as it is written; empty where there is none. */
  readonly text: string;
  readonly claim: Claim;
}

/** The runtimes by the names of their packages. */
const CONDA_PACKAGES: ReadonlyMap<string, RuntimeName> = new Map([
  ["python", "python"],
  ["nodejs", "node"],
  ["deno", "deno"],
]);

/** `conda-forge::python >=3.11,<3.13`, `python=3.11=h1234_0`, `python[version='3.11']`. */
const SPEC = /^(?:\S+::)?([a-z][\w.-]*?)(?:\s*([=<>!~\[].*)|\s+(\S.*))?$/i;

/** Reads the spec of a package, such as `python=3.11`; null where it is none of a runtime. */
export function claimCondaSpec(spec: string): SpecClaim | null {
  const start = spec.trim().slice(0, MAX_RANGE_LENGTH).trim();
  const [, name = "", compared, plain] = SPEC.exec(start) ?? [];
  const runtime = CONDA_PACKAGES.get(name.toLowerCase());
  if (runtime === undefined) return null;
  if (start !== spec.trim()) {
    return { runtime, text: start, claim: claimFloating("it is too long for a version") };
  }
  const [, bracketed] = /^\[.*\bversion=["']?([^"'\]]*)/.exec(compared ?? "") ?? [];
  // Behind the version may stand a build, behind `=` or a space.
  const version = bracketed ??
    (compared ?? plain ?? "").replace(/^(={0,2}[^=<>!~\s]+)(?<![|,])[=\s].*$/, "$1").trim();
  return { runtime, text: version, claim: claimCondaVersion(version) };
}

/**
 * Reads the version of a spec: `3.11.*` and `=3.11` are lines, a bare `3.11` is exactly 3.11.0, and
 * `|` stands between alternatives.
 */
function claimCondaVersion(text: string): Claim {
  if (text.trim() === "") return claimFloating("it names no version");
  if (text.length > MAX_RANGE_LENGTH) return claimFloating("it is too long for a version");
  return claimRange(parseAlternatives(text.split("|")));
}

function parseAlternatives(alternatives: readonly string[]): RangeResult {
  const releases: Interval[] = [];
  for (const alternative of alternatives) {
    const result = parsePep440Range(alternative.split(",").map(translate).join(","));
    if (!result.ok) return result;
    releases.push(...result.range.releases);
  }
  // `<3.13.0a0` is how conda writes "before 3.13", and does not ask for pre-releases.
  return { ok: true, range: makeRange(releases, []) };
}

/** Writes one comparison in PEP 440's terms. */
function translate(text: string): string {
  const part = text.trim();
  if (part === "" || part === "*") return "";
  const [, fuzzy] = /^=([^=].*)$/.exec(part) ?? [];
  if (fuzzy !== undefined) return `==${fuzzy.replace(/(?:\.?\*)?$/, ".*")}`;
  if (/^[v\d]/.test(part)) return `==${part.replace(/\.?\*$/, ".*")}`;
  return part.replace(/^(>=|<=|>|<)(.*?)\.?\*$/, "$1$2");
}

/** Reads the dependencies of an environment.yml. */
export function readCondaEnvironment(path: string, root: YamlNode): Declaration[] {
  const dependencies = getYamlValue(root, "dependencies");
  return (dependencies?.kind === "seq" ? dependencies.items : []).flatMap((item) => {
    const spec = item.kind === "scalar" ? claimCondaSpec(item.source) : null;
    return spec === null
      ? []
      : [{ ...spec, source: "dependencies", path, position: item.position }];
  });
}

const NPM_STYLE = /^(?:\^|~(?!=))\s*\d+(?:\.\d+){0,2}$/;
const BARE_VERSION = /^v?\d/;
/** Constraints that hold together stand behind a comma, or behind a space before an operator. */
const SEPARATOR = /,|\s+(?=[<>=!~^])/;

/**
 * Reads a constraint of Poetry: PEP 440 specifiers, and besides them `^3.11`, `~3.11`, `3.11.*`, a
 * bare version, which means exactly that one, `*`, and alternatives between `||` or `|`.
 */
export function parsePoetryRange(text: string): RangeResult {
  if (text.length > MAX_RANGE_LENGTH) return { ok: false, reason: "it is too long for a range" };
  const releases = [];
  const prereleases = [];
  for (const alternative of text.split(/\|\|?/)) {
    const result = parseAlternative(alternative.trim());
    if (!result.ok) return result;
    releases.push(...result.range.releases);
    prereleases.push(...result.range.prereleases);
  }
  return { ok: true, range: makeRange(releases, prereleases) };
}

function parseAlternative(text: string): RangeResult {
  if (text === "*") return parsePep440Range("");
  if (text === "") return { ok: false, reason: "it has an alternative with nothing in it" };
  const specifiers = text.split(SEPARATOR).map((part) => translateConstraint(part.trim()));
  return parsePep440Range(specifiers.join(","));
}

/** Writes what Poetry adds to PEP 440 in PEP 440's own terms; the rest stays as it is. */
function translateConstraint(text: string): string {
  if (NPM_STYLE.test(text)) return translateNpmStyle(text);
  return BARE_VERSION.test(text) ? `==${text}` : text;
}

/** `^` and `~` mean the same to Poetry as to npm; both give one interval between releases. */
function translateNpmStyle(text: string): string {
  const result = parseNpmRange(text);
  const interval = result.ok ? result.range.releases[0] : undefined;
  if (interval === undefined) return text;
  const { from, to } = interval;
  const lower = `>=${from.major}.${from.minor}.${from.patch}`;
  return to === null ? lower : `${lower},<${to.major}.${to.minor}.${to.patch}`;
}

/**
 * Reads what the fields of a TOML file declare. A value may be a text, `{version = "…"}`, or a list
 * of either.
 *
 * @throws {KprovError} `data` where it is not TOML
 */
export function readTomlFields(
  path: string,
  text: string,
  fields: readonly DeclaringField[],
): Declaration[] {
  const root = parseToml(text);
  return fields.flatMap(({ runtime, keys, claim }) =>
    findTomlValues(root, keys).flatMap((found) =>
      listVersions(found.value).map((version): Declaration => ({
        runtime,
        source: found.keys.join("."),
        path,
        position: placeOfTomlKey(text, found.keys),
        text: version ?? "",
        claim: version === null ? claimFloating("it is not a text") : claim(version),
      }))
    )
  );
}

/** Null stands for what is no text. */
function listVersions(value: TomlValue): (string | null)[] {
  if (Array.isArray(value)) return value.flatMap(listVersions);
  if (isTomlTable(value)) return listVersions(value["version"] ?? 0);
  return [typeof value === "string" ? value : null];
}

const claimSpecifiers = (text: string): Claim => claimRange(parsePep440Range(text));
const claimPoetry = (text: string): Claim => claimRange(parsePoetryRange(text));
const claimPython = (text: string): Claim => claimVersion("python", text);

/** The tables of conda packages in pixi's files. */
const PIXI_TABLES: readonly (readonly string[])[] = [[], ["feature", "*"], ["package"]]
  .flatMap((before) => [before, [...before, "target", "*"]])
  .flatMap((before) =>
    ["dependencies", "host-dependencies", "build-dependencies", "run-dependencies"]
      .map((name) => [...before, name])
  );

function listPixiFields(before: readonly string[]): DeclaringField[] {
  return PIXI_TABLES.flatMap((table) =>
    [...CONDA_PACKAGES].map(([name, runtime]): DeclaringField => ({
      runtime,
      keys: [...before, ...table, name],
      claim: claimCondaVersion,
    }))
  );
}

function listHatchFields(before: readonly string[]): DeclaringField[] {
  return [["python"], ["matrix", "*", "python"], ["matrix", "*", "py"]].map((
    keys,
  ): DeclaringField => ({
    runtime: "python",
    keys: [...before, "envs", "*", ...keys],
    claim: claimPython,
  }));
}

const PYPROJECT_FIELDS: readonly DeclaringField[] = [
  { runtime: "python", keys: ["project", "requires-python"], claim: claimSpecifiers },
  { runtime: "python", keys: ["tool", "poetry", "dependencies", "python"], claim: claimPoetry },
  {
    runtime: "python",
    keys: ["tool", "poetry", "group", "*", "dependencies", "python"],
    claim: claimPoetry,
  },
  {
    runtime: "python",
    keys: ["tool", "uv", "dependency-groups", "*", "requires-python"],
    claim: claimSpecifiers,
  },
  // PDM before PEP 621.
  { runtime: "python", keys: ["tool", "pdm", "python_requires"], claim: claimSpecifiers },
  ...listHatchFields(["tool", "hatch"]),
  ...listPixiFields(["tool", "pixi"]),
];

/** Reads what a pyproject.toml declares: PEP 621, Poetry, uv, Hatch's environments, pixi and tox. */
export function readPyproject(path: string, text: string): Declaration[] {
  return [
    ...readTomlFields(path, text, PYPROJECT_FIELDS),
    ...readToxTable(path, text, ["tool", "tox"]),
  ];
}

const PIXI_FIELDS: readonly DeclaringField[] = listPixiFields([]);

/** Reads the conda packages of a pixi.toml. */
export function readPixi(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, PIXI_FIELDS);
}

const HATCH_FIELDS: readonly DeclaringField[] = listHatchFields([]);

/** Reads the environments of a hatch.toml. */
export function readHatch(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, HATCH_FIELDS);
}

const PIPFILE_FIELDS: readonly DeclaringField[] = ["python_version", "python_full_version"].map(
  (key): DeclaringField => ({ runtime: "python", keys: ["requires", key], claim: claimPython }),
);

/** Reads the `requires` of a Pipfile. */
export function readPipfile(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, PIPFILE_FIELDS);
}

/** An option of an INI file. */
interface IniOption {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** The options of an INI file as Python's configparser reads it: indented lines go on with a value. */
function listOptions(text: string): IniOption[] {
  const options: IniOption[] = [];
  let section = "";
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    const last = options.at(-1);
    if (/^\s/.test(line) && last !== undefined && last.section === section) {
      options[options.length - 1] = { ...last, value: `${last.value}\n${line.trim()}` };
      continue;
    }
    const [, header] = /^\[([^\]]*)\]/.exec(line) ?? [];
    if (header !== undefined) {
      section = header.trim();
      continue;
    }
    const [match, key = "", value = ""] = /^([^=:]+)[=:](.*)$/.exec(line) ?? [];
    if (match !== undefined) {
      options.push({
        section,
        key: key.trim().toLowerCase(),
        value: value.trim(),
        line: index + 1,
      });
    }
  }
  return options;
}

function declareOption(path: string, option: IniOption, text: string, claim: Claim): Declaration {
  return {
    runtime: "python",
    source: option.key,
    path,
    position: { line: option.line, column: 1 },
    text,
    claim,
  };
}

/** Reads `python_requires` of a setup.cfg, and tox's settings there. */
export function readSetupCfg(path: string, text: string): Declaration[] {
  const options = listOptions(text);
  const required = options.filter(({ section, key }) =>
    section === "options" && key.replaceAll("-", "_") === "python_requires"
  );
  return [
    ...required.map((it) => declareOption(path, it, it.value, claimSpecifiers(it.value))),
    ...readToxOptions(path, options.filter(({ section }) => /^tox:/.test(section))),
  ];
}

/** The words of a Python program: comments, texts, names, and signs; `f"…"` is a name before a text. */
const PYTHON_WORD = /#.*|[rRuU]?("""|'''|"|')((?:(?!\1)[^\\]|\\[^])*?)\1|[A-Za-z_]\w*|\n|[^\s]/g;

/** A word of a Python program. */
interface PythonWord {
  /** As it is written; a newline is a word too. */
  readonly source: string;
  /** What it holds, where it is a text. */
  readonly text: string | null;
  readonly index: number;
}

function listPythonWords(program: string): PythonWord[] {
  return [...program.matchAll(PYTHON_WORD)].filter(([source]) => !source.startsWith("#"))
    .map(({ 0: source, 2: text, index }) => ({ source, text: text ?? null, index }));
}

/** Reads `python_requires` of a setup.py; what is no literal but worked out is floating. */
export function readSetupPy(path: string, text: string): Declaration[] {
  if (!text.includes("python_requires")) return [];
  const program = text.replaceAll(/\r\n?/g, "\n");
  const words = listPythonWords(program);
  return words.flatMap((word, index) => {
    const value = findAssigned(words, index);
    if (value === null) return [];
    const version = readLiteral(words.slice(value));
    return [{
      runtime: "python",
      source: "python_requires",
      path,
      position: placeInText(program, program.indexOf("python_requires", word.index)),
      text: version ?? "",
      claim: version === null
        ? claimFloating("it is not a literal, and only running the file would show it")
        : claimSpecifiers(version),
    }];
  });
}

/** Where the value starts: an argument's, an item's of a dictionary, or what is put into one. */
function findAssigned(words: readonly PythonWord[], index: number): number | null {
  const { source, text } = words[index] ?? { source: "", text: null };
  const isName = source === "python_requires";
  if (!isName && text !== "python_requires") return null;
  const [first, second, third] = words.slice(index + 1, index + 4).map((it) => it.source);
  if (isName) return first === "=" && second !== "=" ? index + 2 : null;
  if (first === ":") return index + 2;
  return first === "]" && second === "=" && third !== "=" ? index + 3 : null;
}

/** Words with which an expression goes on behind a text. */
const GOES_ON = /^(?:if|and|or|not|in|is|[^\w,)}\];\n])/;

/** The texts that stand side by side, in parentheses or not; null where that is not all. */
function readLiteral(words: readonly PythonWord[]): string | null {
  let depth = 0;
  let value = "";
  let isText = false;
  for (const [index, word] of words.entries()) {
    if (word.text !== null) {
      if (word.text.includes("\\")) return null;
      value += word.text;
      isText = true;
    } else if (word.source === "\n") continue;
    else if (!isText && word.source === "(") depth++;
    else if (isText && word.source === ")" && depth > 0) depth--;
    else {
      const isNewLine = words[index - 1]?.source === "\n";
      const isEnd = /^[,)}\];]$/.test(word.source) || (isNewLine && !GOES_ON.test(word.source));
      return isText && depth === 0 && isEnd ? value : null;
    }
  }
  return isText && depth === 0 ? value : null;
}

/** The settings of tox that name Python; tox 4 writes them with and without `_`. */
const TOX_SETTINGS = /^(?:env_?list|base_?python|default_base_python)$/;
/** A name or factor of tox: `py38`, `py3.8`, `python3.8`, `3.8`, `pypy310`. */
const TOX_FACTOR = /^(?:(?:py|python|pypy|cpython)-?[23]\.?\d*t?|[23]\.\d+t?)$/;

/** Reads the Pythons of a tox.ini: those of its environments' names, and `basepython`. */
export function readToxIni(path: string, text: string): Declaration[] {
  return readToxOptions(path, listOptions(text));
}

function readToxOptions(path: string, options: readonly IniOption[]): Declaration[] {
  const named = options.filter(({ key }) => TOX_SETTINGS.test(key))
    .flatMap((option) =>
      listFactors(option.value.replaceAll(/(?<!\\)#.*/g, "")).map((it) =>
        declareOption(path, option, it, claimFactor(it))
      )
    );
  const sections = new Map(options.map((option) => [option.section, option]));
  const headed = [...sections].flatMap(([section, option]) =>
    listFactors(/^(?:tox:)?testenv:(.*)$/.exec(section)?.[1] ?? "").map((it) =>
      declareOption(path, { ...option, key: `testenv:${it}` }, it, claimFactor(it))
    )
  );
  return [...named, ...headed];
}

/** The Pythons in a list of environments, braces expanded: `py{38,39}-django` names two. */
function listFactors(value: string): string[] {
  const expanded = value.replace(
    /([\w.]*)\{([^{}]*)\}/g,
    (_, before: string, choices: string) =>
      choices.split(",").flatMap((choice) => expandNumbers(choice.trim()))
        .map((choice) => `${before}${choice}`).join(" "),
  );
  return [...new Set(expanded.split(/[\s,:{}]+|-(?!\d)/))].filter((it) => TOX_FACTOR.test(it));
}

/** `{9-12}` stands for every number between. */
function expandNumbers(choice: string): string[] {
  const [, first, last] = /^(\d{1,2})-(\d{1,2})$/.exec(choice) ?? [];
  const from = Number(first);
  const to = Number(last);
  if (first === undefined || to < from) return [choice];
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);
}

function claimFactor(factor: string): Claim {
  const [, name = "", major = "", minor] = /^(\D*?)-?([23])\.?(\d*)t?$/.exec(factor) ?? [];
  const version = minor === "" || minor === undefined ? major : `${major}.${minor}`;
  return claimPython(`${name.startsWith("pypy") ? "pypy" : ""}${version}`);
}

/** Reads a tox.toml. */
export function readToxToml(path: string, text: string): Declaration[] {
  return readToxTable(path, text, []);
}

function readToxTable(path: string, text: string, table: readonly string[]): Declaration[] {
  const root = parseToml(text);
  const find = (...keys: string[]): ReturnType<typeof findTomlValues> =>
    findTomlValues(root, [...table, ...keys]);
  const named = [
    ...find("env_list"),
    ...find("env_run_base", "base_python"),
    ...find("env_pkg_base", "base_python"),
    ...find("env", "*", "base_python"),
  ].map(({ keys, value }) => ({ keys, names: listTexts(value) }));
  // An environment's own name says its Python.
  const headed = find("env", "*").map(({ keys }) => ({ keys, names: keys.slice(-1) }));
  const declared = [...named, ...headed].flatMap(({ keys, names }) =>
    listFactors(names.join(" ")).map((factor): Declaration => ({
      runtime: "python",
      source: keys.join("."),
      path,
      position: placeOfTomlKey(text, keys),
      text: factor,
      claim: claimFactor(factor),
    }))
  );
  const legacy = find("legacy_tox_ini")
    .flatMap(({ value }) => typeof value === "string" ? readToxIni(path, value) : []);
  // The lines of a text inside of the file are not those of the file.
  return [...declared, ...legacy.map((it) => ({ ...it, position: null }))];
}

/** All texts in a value: the names of a list, and those that a `product` is made of. */
function listTexts(value: TomlValue): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(listTexts);
  if (!isTomlTable(value)) return [];
  const { prefix, start, stop } = value;
  // `{ prefix = "py3.", start = 11, stop = 13 }` stands for every number between.
  if (typeof prefix === "string" && typeof start === "number" && typeof stop === "number") {
    return expandNumbers(`${start}-${stop}`).map((number) => `${prefix}${number}`);
  }
  return Object.values(value).flatMap(listTexts);
}

/** The line with which the metadata of a script starts. */
export const SCRIPT_START = "# /// script";
const SCRIPT_END = "# ///";

/**
 * Reads `requires-python` of the metadata block of a script (PEP 723).
 *
 * @throws {KprovError} `data` where the block is not TOML
 */
export function readPythonScript(path: string, text: string): Declaration[] {
  // Nearly no file has one, and to split every file would cost more than to read it.
  if (!text.includes(SCRIPT_START)) return [];
  const lines = text.split(/\r\n|\n|\r/);
  const start = lines.indexOf(SCRIPT_START);
  const end = start + 1 + findBlockEnd(lines.slice(start + 1));
  if (start < 0 || end <= start) return [];
  const toml = lines.slice(start + 1, end).map((line) => line.replace(/^# ?/, "")).join("\n");
  const field: DeclaringField = {
    runtime: "python",
    keys: ["requires-python"],
    claim: claimSpecifiers,
  };
  return readTomlFields(path, toml, [field]).map((it) => ({
    ...it,
    position: it.position === null ? null : { line: it.position.line + start + 1, column: 3 },
  }));
}

/** The last line of comments that closes the block; -1 where none does. */
function findBlockEnd(lines: readonly string[]): number {
  const behind = lines.findIndex((line) => line !== "#" && !line.startsWith("# "));
  return lines.slice(0, behind < 0 ? lines.length : behind).lastIndexOf(SCRIPT_END);
}
