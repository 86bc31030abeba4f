/**
 * What the files of other CI systems than GitHub's declare, and those of pre-commit and Read the Docs.
 * Their variables count with every value that the same file gives them; what it does not give floats.
 *
 * @module
 */

import {
  getYamlValue,
  type Position,
  textOfScalar,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
} from "../actions/yaml.ts";
import { declareImage, type ImagePiece } from "./container_files.ts";
import { claimFloating, claimVersion, type Declaration, type RuntimeName } from "./declaration.ts";
import { readInstallCommands } from "./install_command.ts";

/** The values that a file gives its variables, by their names in lower case. */
type Values = ReadonlyMap<string, readonly YamlScalar[]>;

/** A text with one choice of its variables' values, and where it is decided. */
interface Resolved {
  readonly pieces: readonly ImagePiece[];
  readonly position: Position;
}

/** Most texts that one text becomes by the values of its variables. */
const MAX_CHOICES = 256;

/** Most variables that lead from one to the next, and most values of one that does. */
const MAX_REFERENCES = 2;
const MAX_REFERRING = 16;

const WHY_UNKNOWN = "the file has no value for a variable in it, or too many";

/**
 * Puts every value of every variable in; the pattern's first group that matches is the name. A variable
 * with more values than can be tried is as one without any: no value is passed over in silence.
 */
function resolve(
  scalar: YamlScalar,
  pattern: RegExp,
  values: Values,
  depth = MAX_REFERENCES,
): Resolved[] {
  const text = textOfScalar(scalar);
  const plain = (piece: string): Resolved[] => [toPiece(piece, true, scalar)];
  let choices: Resolved[] = [toPiece("", true, scalar)];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const [written, ...names] = match;
    const known = values.get(names.find((it) => it !== undefined)?.toLowerCase() ?? "") ?? [];
    const listed = listValues(known, pattern, values, depth);
    const isTried = listed.length > 0 && listed.length * choices.length <= MAX_CHOICES;
    const given = isTried ? listed : [toPiece(written, false, scalar)];
    choices = append(choices, plain(text.slice(end, match.index)), scalar);
    choices = append(choices, given, scalar);
    end = match.index + written.length;
  }
  return append(choices, plain(text.slice(end)), scalar);
}

/** The values of a variable, which may be made of other variables; none where they lead too far. */
function listValues(
  known: readonly YamlScalar[],
  pattern: RegExp,
  values: Values,
  depth: number,
): Resolved[] {
  const isPlain = known.every((it) => textOfScalar(it).search(pattern) < 0);
  if (isPlain) return known.map((it) => toPiece(textOfScalar(it), true, it));
  if (depth === 0 || known.length > MAX_REFERRING) return [];
  return known.flatMap((it) => resolve(it, pattern, values, depth - 1));
}

function toPiece(text: string, isKnown: boolean, { position }: YamlScalar): Resolved {
  return { pieces: [{ text, isKnown }], position };
}

/** The value that a variable has elsewhere is where a finding points to. */
function append(
  choices: readonly Resolved[],
  next: readonly Resolved[],
  { position }: YamlScalar,
): Resolved[] {
  return choices.flatMap((choice) =>
    next.map((it) => ({
      pieces: [...choice.pieces, ...it.pieces],
      position: it.position === position ? choice.position : it.position,
    }))
  );
}

function listScalars(node: YamlNode | null): YamlScalar[] {
  if (node === null) return [];
  if (node.kind === "scalar") return node.value === null ? [] : [node];
  return node.kind === "seq" ? node.items.flatMap(listScalars) : [];
}

/** Every mapping in a file, from the outside in. */
function listMaps(node: YamlNode): YamlMap[] {
  switch (node.kind) {
    case "scalar":
      return [];
    case "seq":
      return node.items.flatMap(listMaps);
    case "map":
      return [node, ...node.entries.flatMap(({ value }) => listMaps(value))];
  }
}

class ValueCollector {
  readonly values = new Map<string, YamlScalar[]>();

  /** Keeps the values of a variable. */
  add(name: string, node: YamlNode | null): void {
    const known = this.values.get(name.toLowerCase()) ?? [];
    this.values.set(name.toLowerCase(), known);
    for (const scalar of listScalars(node)) known.push(scalar);
  }

  /** Keeps the values of each key of a mapping. */
  addAll(node: YamlNode | null): void {
    if (node?.kind !== "map") return;
    for (const { key, value } of node.entries) this.add(key, getYamlValue(value, "value") ?? value);
  }
}

function readImages(
  path: string,
  node: YamlNode | null,
  source: string,
  pattern: RegExp,
  values: Values,
): Declaration[] {
  if (node?.kind === "seq") {
    return node.items.flatMap((item) => readImages(path, item, source, pattern, values));
  }
  const image = node?.kind === "map"
    ? getYamlValue(node, "name") ?? getYamlValue(node, "image")
    : node;
  if (image?.kind !== "scalar" || image.value === null) return [];
  return resolve(image, pattern, values).flatMap(({ pieces, position }) =>
    declareImage({ source, path, position, written: textOfScalar(image) }, pieces, WHY_UNKNOWN)
  );
}

function readVersions(
  path: string,
  node: YamlNode | null,
  { runtime, source }: { readonly runtime: RuntimeName; readonly source: string },
  pattern: RegExp,
  values: Values,
): Declaration[] {
  return listScalars(node).flatMap((scalar) =>
    resolve(scalar, pattern, values).map(({ pieces, position }) => {
      const text = pieces.map((piece) => piece.text).join("");
      const isKnown = pieces.every((piece) => piece.isKnown);
      return {
        runtime,
        source,
        path,
        position,
        text,
        claim: isKnown ? claimVersion(runtime, text) : claimFloating(WHY_UNKNOWN),
      };
    })
  );
}

function readScripts(
  path: string,
  node: YamlNode | null,
  pattern: RegExp,
  values: Values,
): Declaration[] {
  return listScalars(node).flatMap((scalar) => {
    if (readInstallCommands(textOfScalar(scalar)).length === 0) return [];
    return resolve(scalar, pattern, values).flatMap(({ pieces, position }) =>
      readInstallCommands(
        pieces.map(({ text, isKnown }) => isKnown ? text : "$UNKNOWN").join(""),
      ).map((it) => ({ ...it, path, position }))
    );
  });
}

/** uv takes the Python that a variable names, in a mapping or in a list of `name` and `value`. */
function readUvVariable(
  path: string,
  node: YamlNode | null,
  pattern: RegExp,
  values: Values,
): Declaration[] {
  const claimed = { runtime: "python", source: "UV_PYTHON" } as const;
  const given = getYamlValue(node, "UV_PYTHON");
  const named = (node?.kind === "seq" ? node.items : []).filter((item) => {
    const name = getYamlValue(item, "name");
    return name?.kind === "scalar" && textOfScalar(name) === "UV_PYTHON";
  });
  return [getYamlValue(given, "value") ?? given, ...named.map((it) => getYamlValue(it, "value"))]
    .flatMap((value) => readVersions(path, value, claimed, pattern, values));
}

/** `$NAME`, `${NAME}`, and `$[[ inputs.name ]]` of GitLab. */
const SHELL_VARIABLE = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)|\[\[\s*inputs\.([\w-]+)[^\]]*\]\])/g;
const SCRIPT_KEYS = ["script", "before_script", "after_script", "commands"];

/**
 * Reads the images and scripts of GitLab's, Bitbucket's and Woodpecker's files: whatever stands under
 * `image` and `services`, with the values of `variables`, of matrices and of `spec:inputs`.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readGitlab(path: string, root: YamlNode): Declaration[] {
  const collector = new ValueCollector();
  const maps = listMaps(root);
  for (const map of maps) {
    collector.addAll(getYamlValue(map, "variables"));
    const matrix = getYamlValue(getYamlValue(map, "parallel"), "matrix");
    for (const item of matrix?.kind === "seq" ? matrix.items : []) collector.addAll(item);
    const inputs = getYamlValue(getYamlValue(map, "spec"), "inputs");
    for (const { key, value } of inputs?.kind === "map" ? inputs.entries : []) {
      for (const part of ["default", "options"]) collector.add(key, getYamlValue(value, part));
    }
  }
  // Woodpecker's matrix.
  const matrix = getYamlValue(root, "matrix");
  const include = getYamlValue(matrix, "include");
  for (const node of [matrix, ...include?.kind === "seq" ? include.items : []]) {
    collector.addAll(node);
  }
  const variables = new Set(maps.map((map) => getYamlValue(map, "variables")));
  const { values } = collector;
  return maps.filter((map) => !variables.has(map)).flatMap((map) => [
    ...["variables", "environment"].flatMap((key) =>
      readUvVariable(path, getYamlValue(map, key), SHELL_VARIABLE, values)
    ),
    ...["image", "services"].flatMap((key) =>
      readImages(path, getYamlValue(map, key), key, SHELL_VARIABLE, values)
    ),
    ...SCRIPT_KEYS.flatMap((key) =>
      readScripts(path, getYamlValue(map, key), SHELL_VARIABLE, values)
    ),
  ]);
}

const CIRCLE_PARAMETER = /<<\s*(?:pipeline\.)?(?:parameters|matrix)\.([\w-]+)\s*>>/g;
const CIRCLE_ORBS: ReadonlyMap<string, RuntimeName> = new Map([
  ["circleci/node", "node"],
  ["circleci/python", "python"],
]);
const CIRCLE_INPUTS = ["node-version", "version"];
/** What the executors of those orbs are told. */
const CIRCLE_EXECUTOR_INPUTS = ["tag"];

/**
 * Reads the images, the steps of the node and python orbs, and the scripts of CircleCI, with every value
 * that the file gives a parameter.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readCircle(path: string, root: YamlNode): Declaration[] {
  const maps = listMaps(root);
  const { values } = collectCircleValues(maps, getYamlValue(root, "workflows"));
  const orbs = listOrbs(getYamlValue(root, "orbs"));
  const readInputs = (name: string, node: YamlNode, inputs: readonly string[]): Declaration[] => {
    const runtime = name.includes("/") ? orbs.get(name.split("/", 1)[0] ?? "") : undefined;
    if (runtime === undefined) return [];
    const claimed = { runtime, source: name };
    return inputs.flatMap((input) =>
      readVersions(path, getYamlValue(node, input), claimed, CIRCLE_PARAMETER, values)
    );
  };
  return maps.flatMap((map) => [
    ...readImages(path, getYamlValue(map, "docker"), "docker.image", CIRCLE_PARAMETER, values),
    ...readInputs(nameOfExecutor(map), map, CIRCLE_EXECUTOR_INPUTS),
    ...readUvVariable(path, getYamlValue(map, "environment"), CIRCLE_PARAMETER, values),
    ...map.entries.flatMap(({ key, value }) => {
      if (key === "run") {
        const command = value.kind === "map" ? getYamlValue(value, "command") : value;
        return readScripts(path, command, CIRCLE_PARAMETER, values);
      }
      return readInputs(key, value, CIRCLE_INPUTS);
    }),
  ]);
}

/** `executor: { name: python/default, tag: "3.12" }`. */
function nameOfExecutor(map: YamlMap): string {
  const name = getYamlValue(map, "name");
  return name?.kind === "scalar" ? textOfScalar(name) : "";
}

function collectCircleValues(maps: readonly YamlMap[], workflows: YamlNode | null): ValueCollector {
  const collector = new ValueCollector();
  for (const map of maps) {
    const parameters = getYamlValue(map, "parameters");
    for (const { key, value } of parameters?.kind === "map" ? parameters.entries : []) {
      collector.add(key, value.kind === "map" ? getYamlValue(value, "default") : value);
    }
  }
  // What a workflow gives the jobs that it calls.
  for (const map of workflows === null ? [] : listMaps(workflows)) {
    for (const { key, value } of map.entries) {
      if (value.kind === "scalar") collector.add(key, value);
    }
  }
  return collector;
}

function listOrbs(orbs: YamlNode | null): Map<string, RuntimeName> {
  const entries = orbs?.kind === "map" ? orbs.entries : [];
  return new Map(entries.flatMap(({ key, value }) => {
    const source = value.kind === "scalar" ? textOfScalar(value).split("@", 1)[0] ?? "" : "";
    const runtime = CIRCLE_ORBS.get(source);
    return runtime === undefined ? [] : [[key, runtime] as const];
  }));
}

const AZURE_VARIABLE =
  /\$\(([\w.]+)\)|\$\{\{\s*(?:(?:parameters|variables)\.)?([\w.]+)\s*\}\}|\$\[\s*variables\.([\w.]+)\s*\]|\$(?:\{\{|\[)\s*(?:parameters|variables)\['([\w.]+)'\]\s*(?:\}\}|\])/g;
/** `${{ each version in parameters.versions }}` as a key: what is below it is there for each. */
const AZURE_EACH = /^\$\{\{\s*each\s+(\w+)\s+in\s+(?:parameters|variables)\.([\w.]+)\s*\}\}$/;
/** The tasks that set a runtime up, with their inputs and the version that they take without. */
const AZURE_TASKS: readonly {
  readonly task: RegExp;
  readonly runtime: RuntimeName;
  readonly inputs: readonly string[];
}[] = [
  { task: /^UsePythonVersion@/i, runtime: "python", inputs: ["versionSpec"] },
  { task: /^NodeTool@/i, runtime: "node", inputs: ["versionSpec"] },
  { task: /^UseNode@/i, runtime: "node", inputs: ["version"] },
];

/**
 * Reads the tasks, containers and scripts of Azure Pipelines.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readAzure(path: string, root: YamlNode): Declaration[] {
  const maps = listMaps(root);
  const { values } = collectAzureValues(maps);
  const aliases = new Set(maps.flatMap((map) => {
    const image = getYamlValue(map, "image");
    return image === null ? [] : listScalars(getYamlValue(map, "container")).map(textOfScalar);
  }));
  return maps.flatMap((map) => [
    ...readAzureTask(path, map, values),
    ...readAzureContainer(path, map, aliases, values),
    ...["script", "bash", "pwsh", "powershell"].flatMap((key) =>
      readScripts(path, getYamlValue(map, key), AZURE_VARIABLE, values)
    ),
    ...readUvVariable(path, getYamlValue(map, "variables"), AZURE_VARIABLE, values),
  ]);
}

function collectAzureValues(maps: readonly YamlMap[]): ValueCollector {
  const collector = new ValueCollector();
  for (const map of maps) {
    for (const key of ["variables", "parameters"]) {
      const node = getYamlValue(map, key);
      collector.addAll(node);
      for (const item of node?.kind === "seq" ? node.items : []) {
        const name = getYamlValue(item, "name");
        if (name?.kind !== "scalar") continue;
        for (const part of ["value", "default", "values"]) {
          collector.add(textOfScalar(name), getYamlValue(item, part));
        }
      }
    }
    const matrix = getYamlValue(getYamlValue(map, "strategy"), "matrix");
    for (const { value } of matrix?.kind === "map" ? matrix.entries : []) collector.addAll(value);
  }
  addEach(collector, maps);
  return collector;
}

/** Keeps what a loop goes through under the loop's own name, the items' parts too: `item.python`. */
function addEach(collector: ValueCollector, maps: readonly YamlMap[]): void {
  const parameters = maps.map((map) => getYamlValue(map, "parameters"))
    .flatMap((node) => node?.kind === "seq" ? node.items : []);
  for (const { key } of maps.flatMap((map) => map.entries)) {
    const [, item = "", list = ""] = AZURE_EACH.exec(key) ?? [];
    for (const parameter of parameters) {
      const name = getYamlValue(parameter, "name");
      if (name?.kind !== "scalar" || textOfScalar(name) !== list) continue;
      const values = getYamlValue(parameter, "default");
      collector.add(item, values);
      for (const part of values?.kind === "seq" ? values.items : []) {
        for (const entry of part.kind === "map" ? part.entries : []) {
          collector.add(`${item}.${entry.key}`, entry.value);
        }
      }
    }
  }
}

/** Azure takes the names of inputs in either case. */
function findInput(map: YamlNode | null, name: string): YamlNode | null {
  const entries = map?.kind === "map" ? map.entries : [];
  return entries.find(({ key }) => key.toLowerCase() === name.toLowerCase())?.value ?? null;
}

/** Files that a task can take the version from, and that are judged themselves. */
const JUDGED_FILE = /(?:^|\/)(?:\.nvmrc|\.node-version|package\.json)$/;

function readAzureTask(path: string, map: YamlMap, values: Values): Declaration[] {
  const task = getYamlValue(map, "task");
  const name = task?.kind === "scalar" ? textOfScalar(task) : "";
  const known = AZURE_TASKS.find((it) => it.task.test(name));
  if (task === null || known === undefined) return [];
  const { runtime, inputs } = known;
  const given = inputs.map((input) => findInput(getYamlValue(map, "inputs"), input))
    .find((it) => it !== null);
  const file = findInput(getYamlValue(map, "inputs"), "versionFilePath");
  if (file?.kind === "scalar" && JUDGED_FILE.test(textOfScalar(file))) return [];
  if (given !== undefined) {
    return readVersions(path, given, { runtime, source: name }, AZURE_VARIABLE, values);
  }
  const { position } = task;
  return [{
    runtime,
    source: name,
    path,
    position,
    text: "",
    claim: claimFloating("it names no version"),
  }];
}

/** `container` is an image, `{image}`, or the name of one of the file's `resources.containers`. */
function readAzureContainer(
  path: string,
  map: YamlMap,
  aliases: ReadonlySet<string>,
  values: Values,
): Declaration[] {
  const image = getYamlValue(map, "image");
  const container = getYamlValue(map, "container");
  if (container === null) return [];
  if (image !== null) return readImages(path, image, "containers.image", AZURE_VARIABLE, values);
  if (container.kind === "scalar" && aliases.has(textOfScalar(container))) return [];
  // The mapping under `container` has its image read here, under its own key.
  return readImages(path, container, "container", AZURE_VARIABLE, values);
}

const NO_VARIABLE = /(?!)()/g;

/**
 * Reads the versions of Travis, of the whole file and of the jobs of its matrix.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readTravis(path: string, root: YamlNode): Declaration[] {
  const included = ["jobs", "matrix"].flatMap((key) => {
    const include = getYamlValue(getYamlValue(root, key), "include");
    return include?.kind === "seq" ? include.items : [];
  });
  return [root, ...included].flatMap((node) => [
    ...readKey(path, node, ["python"], "python"),
    ...readKey(path, node, ["node_js"], "node"),
  ]);
}

function readKey(
  path: string,
  root: YamlNode,
  keys: readonly string[],
  runtime: RuntimeName,
): Declaration[] {
  const node = keys.reduce<YamlNode | null>(getYamlValue, root);
  return readVersions(path, node, { runtime, source: keys.join(".") }, NO_VARIABLE, new Map());
}

/**
 * Reads the tools of a .readthedocs.yaml, and the commands of its build.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readReadTheDocs(path: string, root: YamlNode): Declaration[] {
  return [
    ...readKey(path, root, ["build", "tools", "python"], "python"),
    ...readKey(path, root, ["build", "tools", "nodejs"], "node"),
    ...readKey(path, root, ["python", "version"], "python"),
    ...listMaps(getYamlValue(root, "build") ?? root).flatMap((map) =>
      map.entries.flatMap(({ value }) => readScripts(path, value, NO_VARIABLE, new Map()))
    ),
  ];
}

/** The languages of pre-commit that are runtimes of ours. */
const HOOK_LANGUAGES: readonly RuntimeName[] = ["node", "python"];

/**
 * Reads `default_language_version` and the `language_version` of hooks in a .pre-commit-config.yaml. A
 * hook's version counts where the file says of which language it is.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readPreCommit(path: string, root: YamlNode): Declaration[] {
  const defaults = HOOK_LANGUAGES.flatMap((language) =>
    readKey(path, root, ["default_language_version", language], language)
  );
  const hooks = listMaps(root).flatMap((map) => {
    const language = getYamlValue(map, "language");
    const version = getYamlValue(map, "language_version");
    const named = listScalars(version).some((it) => /^(?:python|pypy)/i.test(textOfScalar(it)))
      ? "python"
      : listScalars(language).map(textOfScalar).join();
    const runtime = HOOK_LANGUAGES.find((it) => it === named);
    return runtime === undefined ? [] : readKey(path, map, ["language_version"], runtime);
  });
  return [...defaults, ...hooks];
}
