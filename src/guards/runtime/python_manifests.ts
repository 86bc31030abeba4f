/**
 * What the files of Python projects declare: pyproject.toml with the tables of its tools, setup.cfg,
 * setup.py, tox.ini, Pipfile, hatch.toml, pixi.toml, and scripts with metadata of their own (PEP 723).
 *
 * @module
 */

import { findTomlValues, parseToml } from "../../base/located_values.ts";
import { claimCondaVersion, CONDA_PACKAGES } from "./conda.ts";
import {
  type Claim,
  claimFloating,
  claimRange,
  claimVersion,
  type Declaration,
} from "./declaration.ts";
import { parsePep440Range, parsePoetryRange } from "./python_range.ts";
import { readTomlFields, type TomlField } from "./toml_fields.ts";

const claimSpecifiers = (text: string): Claim => claimRange(parsePep440Range(text));
const claimPoetry = (text: string): Claim => claimRange(parsePoetryRange(text));
const claimPython = (text: string): Claim => claimVersion("python", text);

/** The tables of conda packages in pixi's files. */
const PIXI_TABLES: readonly (readonly string[])[] = [[], ["feature", "*"], ["target", "*"]]
  .concat([["feature", "*", "target", "*"]])
  .flatMap((before) =>
    ["dependencies", "host-dependencies", "build-dependencies"].map((name) => [...before, name])
  );

function listPixiFields(before: readonly string[]): TomlField[] {
  return PIXI_TABLES.flatMap((table) =>
    [...CONDA_PACKAGES].map(([name, runtime]): TomlField => ({
      runtime,
      keys: [...before, ...table, name],
      claim: claimCondaVersion,
    }))
  );
}

function listHatchFields(before: readonly string[]): TomlField[] {
  return [["python"], ["matrix", "*", "python"], ["matrix", "*", "py"]].map((keys): TomlField => ({
    runtime: "python",
    keys: [...before, "envs", "*", ...keys],
    claim: claimPython,
  }));
}

const PYPROJECT_FIELDS: readonly TomlField[] = [
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
  ...listHatchFields(["tool", "hatch"]),
  ...listPixiFields(["tool", "pixi"]),
];

/**
 * Reads what a pyproject.toml declares: PEP 621, Poetry, uv, Hatch's environments, pixi and tox.
 *
 * @param path The file's path
 * @param text Its content
 * @throws {KprovError} `data` where it is not TOML
 */
export function readPyproject(path: string, text: string): Declaration[] {
  return [
    ...readTomlFields(path, text, PYPROJECT_FIELDS),
    ...readToxTable(path, text, ["tool", "tox"]),
  ];
}

const PIXI_FIELDS: readonly TomlField[] = listPixiFields([]);

/** Reads the conda packages of a pixi.toml; see {@linkcode readPyproject}. */
export function readPixi(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, PIXI_FIELDS);
}

const HATCH_FIELDS: readonly TomlField[] = listHatchFields([]);

/** Reads the environments of a hatch.toml; see {@linkcode readPyproject}. */
export function readHatch(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, HATCH_FIELDS);
}

const PIPFILE_FIELDS: readonly TomlField[] = ["python_version", "python_full_version"].map(
  (key): TomlField => ({ runtime: "python", keys: ["requires", key], claim: claimPython }),
);

/** Reads the `requires` of a Pipfile; see {@linkcode readPyproject}. */
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

/**
 * Reads `python_requires` of a setup.cfg, and tox's settings there.
 *
 * @param path The file's path
 * @param text Its content
 */
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

/** `python_requires=">=3.11"` as an argument, or as an item of a dictionary. */
const PYTHON_REQUIRES = /\bpython_requires["']?\s*[=:](?!=)\s*(?:(["'])([^"'\\]*)\1)?/;

/**
 * Reads `python_requires` of a setup.py where it is a literal; what a program works out is floating.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readSetupPy(path: string, text: string): Declaration[] {
  return text.split(/\r\n|\n|\r/).flatMap((line, index) => {
    const [match, quotes, version = ""] = PYTHON_REQUIRES.exec(line.replace(/^\s*#.*/, "")) ?? [];
    if (match === undefined) return [];
    return [{
      runtime: "python",
      source: "python_requires",
      path,
      position: { line: index + 1, column: line.indexOf("python_requires") + 1 },
      text: version,
      claim: quotes === undefined
        ? claimFloating("it is no literal, and only running the file could tell")
        : claimSpecifiers(version),
    }];
  });
}

/** The settings of tox that name Python; tox 4 writes them with and without `_`. */
const TOX_SETTINGS = /^(?:env_?list|base_?python|default_base_python)$/;
/** A name or factor of tox: `py38`, `py3.8`, `python3.8`, `3.8`, `pypy310`. */
const TOX_FACTOR = /^(?:(?:py|python|pypy|cpython)-?[23]\.?\d*t?|[23]\.\d+t?)$/;

/**
 * Reads the Pythons of a tox.ini: those of its environments' names, and `basepython`.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readToxIni(path: string, text: string): Declaration[] {
  return readToxOptions(path, listOptions(text));
}

function readToxOptions(path: string, options: readonly IniOption[]): Declaration[] {
  const named = options.filter(({ key }) => TOX_SETTINGS.test(key))
    .flatMap((option) =>
      listFactors(option.value).map((it) => declareOption(path, option, it, claimFactor(it)))
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

/** Reads a tox.toml; see {@linkcode readPyproject}. */
export function readToxToml(path: string, text: string): Declaration[] {
  return readToxTable(path, text, []);
}

function readToxTable(path: string, text: string, table: readonly string[]): Declaration[] {
  const field = (...keys: string[]): TomlField => ({
    runtime: "python",
    keys: [...table, ...keys],
    claim: claimFactor,
  });
  const fields = [
    field("env_list"),
    field("env_run_base", "base_python"),
    field("env_pkg_base", "base_python"),
    field("env", "*", "base_python"),
  ];
  const declared = readTomlFields(path, text, fields).filter((it) => TOX_FACTOR.test(it.text));
  const legacy = findTomlValues(parseToml(text), [...table, "legacy_tox_ini"])
    .flatMap(({ value }) => typeof value === "string" ? readToxIni(path, value) : []);
  // The lines of a text inside of the file are not those of the file.
  return [...declared, ...legacy.map((it) => ({ ...it, position: null }))];
}

/** The line with which the metadata of a script starts. */
export const SCRIPT_START = "# /// script";
const SCRIPT_END = "# ///";

/**
 * Reads `requires-python` of the metadata block of a script (PEP 723).
 *
 * @param path The script's path
 * @param text Its content
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
  const field: TomlField = { runtime: "python", keys: ["requires-python"], claim: claimSpecifiers };
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
