/**
 * Container images, and the files that name them: Dockerfiles with the commands in them, compose files
 * and devcontainers. Of a reference, whoever publishes the image, only the name and the tag are read:
 * the registry is never asked.
 *
 * @module
 */

import {
  Arg,
  Copy,
  DockerfileParser,
  Env,
  From,
  type Instruction,
  type JSONInstruction,
  Onbuild,
  Run,
} from "dockerfile-ast";
import { type Node, type ParseError, parseTree } from "jsonc-parser";
import { KprovError } from "../../base/error.ts";
import { placeInText } from "../../base/located_values.ts";
import { getYamlValue, type Position, textOfScalar, type YamlNode } from "../actions/yaml.ts";
import {
  type Claim,
  claimFloating,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";
import { readInstallCommands } from "./install_command.ts";

/** A piece of a reference, and whether it is known before the thing runs. */
export interface ImagePiece {
  readonly text: string;
  readonly isKnown: boolean;
}

/** What an image reference says of a runtime; null where it may be any runtime's image. */
interface ImageClaim {
  readonly runtime: RuntimeName | null;
  readonly claim: Claim;
}

/** A reference taken apart. */
interface Reference {
  readonly name: string;
  readonly owner: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const NAME = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;
/** Stands for a piece that is not known; no reference may hold it. */
const UNDECIDED = "\u0000";
/**
 * `node`, `python-311`, `nodejs20-debian12`, `aws-lambda-python`, `javascript-node`,
 * `build-nodejs18.x`.
 */
const RUNTIME_IMAGE =
  /^(?:aws-lambda-|build-|javascript-|typescript-)?(deno|nodejs|node|python|pypy)(?:-?(\d+(?:\.[\dx]+)*))?(?:-(?:debian|alpine|ubuntu|ubi|rhel|centos|c\ds|minimal|slim)[\w.]*)*$/;
/** `python3.12-bookworm`, `4-node20`: images of another purpose name the runtime in their tags. */
const RUNTIME_IN_TAG =
  // deno-lint-ignore no-control-regex
  /(?:^|[-_.])(deno|nodejs|node|python|py)-?v?(\d+(?:\.\d+){0,2}|\d*\.?\u0000)(?=$|[-_])/g;
const TAG = /^(\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)(?:-([\w.-]+))?$/;
const DENO_VARIANT = /^(?:alpine|bin|centos|debian|distroless|ubuntu)-/;
const UNRELEASED_VARIANT = /^(?:alpha|beta|nightly|rc|test)/;
/** Lambda's images have the day behind the version: `3.12.2024.11.06.16`. */
const DAY = /^(\d+(?:\.\d+)?)\.20\d\d(?:\.\d\d)+(?=-|$)/;
/** A node of a cluster is no Node. */
const CLUSTER_NODES: readonly string[] = ["kindest", "calico"];
/** Images of devcontainers have a version of their own before the runtime's: `1-3.12-bookworm`. */
const OWN_VERSION = /^(?:dev-)?\d+(?:\.\d+)*-(?=\d)/;

/**
 * Reads an image reference such as `docker.io/library/node:22-alpine@sha256:…`. The tag is what is
 * judged, also beside a digest.
 *
 * @param pieces The reference in pieces
 * @returns What it says of each runtime; nothing where it is the image of something else
 */
export function claimImage(pieces: readonly ImagePiece[]): ImageClaim[] {
  const text = pieces.map(({ text, isKnown }) => isKnown ? text : UNDECIDED).join("").trim();
  const reference = splitReference(text);
  if (!NAME.test(reference.name)) {
    return [{ runtime: null, claim: claimFloating("the image cannot be determined") }];
  }
  const byTag = claimRuntimesInTag(reference.tag ?? "");
  const byName = claimName(reference).filter(({ runtime }) =>
    byTag.every((it) => it.runtime !== runtime)
  );
  return [...byName, ...byTag];
}

function splitReference(reference: string): Reference {
  const [named = "", digest = null] = reference.split("@", 2);
  const parts = named.replace(/^docker:\/\//, "").split("/");
  const [name = "", tag = null] = (parts.at(-1) ?? "").split(":", 2);
  return { name, owner: parts.at(-2) ?? "", tag, digest };
}

function toRuntime(name: string): RuntimeName {
  return name === "deno" ? name : name.startsWith("node") ? "node" : "python";
}

function claimRuntimesInTag(tag: string): ImageClaim[] {
  return [...tag.matchAll(RUNTIME_IN_TAG)].flatMap(([, name = "", version = ""]) => {
    const runtime = toRuntime(name);
    if (version.includes(UNDECIDED)) return [{ runtime, claim: claimUndecidedTag() }];
    // `py3` and `python3` only say that it is not Python 2.
    if (runtime === "python" && !/^\d\.?\d/.test(version)) return [];
    return [{ runtime, claim: claimVersion(runtime, splitDigits(runtime, version)) }];
  });
}

function claimUndecidedTag(): Claim {
  return claimFloating("its tag cannot be determined");
}

/** `python-311` is Python 3.11. */
function splitDigits(runtime: RuntimeName, version: string): string {
  return runtime === "python" ? version.replace(/^([23])(\d{1,2})$/, "$1.$2") : version;
}

function claimName({ name, owner, tag, digest }: Reference): ImageClaim[] {
  const [match, written = "", number = ""] = RUNTIME_IMAGE.exec(name) ?? [];
  if (match === undefined) return [];
  const runtime = toRuntime(written);
  if (runtime === "node" && CLUSTER_NODES.includes(owner)) return [];
  const version = owner === "devcontainers" ? tag?.replace(OWN_VERSION, "") ?? null : tag;
  // `python3` has the rest of its version in the tag, or nowhere.
  const isWhole = number !== "" && (number !== "3" || !TAG.test(version ?? ""));
  const claim = isWhole
    ? claimVersion(runtime, splitDigits(runtime, number))
    : claimTag(runtime, version, digest);
  return [{ runtime, claim }];
}

function claimTag(runtime: RuntimeName, tag: string | null, digest: string | null): Claim {
  if (tag === null) {
    return claimFloating(
      digest === null ? "it has no tag" : "a digest alone does not say which version it is",
    );
  }
  if (tag.includes(UNDECIDED)) return claimUndecidedTag();
  if (runtime === "deno") return claimVersion("deno", tag.replace(DENO_VARIANT, ""));
  const [match, version = "", variant = ""] = TAG.exec(tag.replace(DAY, "$1")) ?? [];
  if (match === undefined) return claimWord(runtime, tag);
  if (UNRELEASED_VARIANT.test(variant)) {
    return claimFloating("its tag names a version before a release");
  }
  return claimVersion(runtime, version);
}

/** `node:jod-slim` is named for a line of Node; other tags without a version say nothing. */
function claimWord(runtime: RuntimeName, tag: string): Claim {
  const claim = runtime === "node" ? claimVersion("node", tag.split("-", 1)[0] ?? "") : null;
  return claim?.kind === "range" ? claim : claimFloating("its tag does not start with a version");
}

/** The build arguments known so far; null where one has no default. */
type BuildArguments = ReadonlyMap<string, readonly ImagePiece[] | null>;

/** Where an instruction names an image. */
interface ImageUse {
  readonly source: string;
  readonly image: string;
  readonly position: Position;
}

// `${NAME}`, `${NAME:-default}`, `${NAME-default}` and `$NAME`.
const VARIABLE = /\$(?:\{([A-Za-z_]\w*)(?:(:?)-([^{}]*))?\}|([A-Za-z_]\w*))/g;
/** Longest text with variables, before and after: arguments made of arguments could grow forever. */
const MAX_LENGTH = 4096;
const MOUNT_SOURCE = /(?:^|,)from=([^,]*)/;

/**
 * Reads the images that a Dockerfile builds on: `FROM`, `COPY --from` and `RUN --mount=from=`, and the
 * runtimes that its commands install. Build arguments count with their defaults, and with what the
 * repository's own builds give them: that is found where it is given.
 *
 * @param path The file's path
 * @param text Its content
 * @param builds The builds of this file that other files ask for
 */
export function readDockerfile(
  path: string,
  text: string,
  builds: readonly ImageBuild[] = [],
): Declaration[] {
  const fallback: GivenArguments = new Map(builds.flatMap((build) => [...build.given]));
  const own = readStages(
    path,
    text,
    (name, written) => written === null ? fallback.get(name) : null,
  );
  const known = new Set(own.map(describeInFile));
  const built = builds.flatMap((build) =>
    readStages(path, text, (name) => build.given.get(name))
      .filter((it) => !known.has(describeInFile(it)))
      .map((it) => ({ ...it, path: build.path, position: build.position }))
  );
  return [...own, ...built];
}

/** The arguments that a build is given. */
type GivenArguments = ReadonlyMap<string, readonly ImagePiece[]>;

/** A build of a Dockerfile that another file of the repository asks for. */
export interface ImageBuild {
  readonly dockerfile: string;
  readonly given: GivenArguments;
  readonly path: string;
  readonly position: Position;
}

/** What a build gives an argument in the place of what is written, if anything. */
type GiveArgument = (
  name: string,
  written: string | null,
) => readonly ImagePiece[] | null | undefined;

function describeInFile({ runtime, position, text }: Declaration): string {
  return JSON.stringify([runtime, position, text]);
}

function readStages(path: string, text: string, give: GiveArgument): Declaration[] {
  const file = DockerfileParser.parse(text);
  const buildArguments = collectArguments(file.getInitialARGs(), give);
  const stages = new Map<string, BuildArguments>();
  const lines = text.split(/\r?\n/);
  let stage = new Stage(buildArguments, new Map(), give);
  return file.getInstructions().flatMap((instruction) => {
    const uses = listImages(instruction)
      .map((use) => ({ use, pieces: resolveVariables(use.image, buildArguments) }));
    const images = uses.filter(({ pieces }) => !isStage(pieces, stages))
      .flatMap(({ use, pieces }) => declare(path, use, pieces));
    if (instruction instanceof From) {
      const base = showPieces(uses[0]?.pieces ?? []).toLowerCase();
      stage = new Stage(buildArguments, stages.get(base) ?? new Map(), give);
      stages.set(instruction.getBuildStage()?.toLowerCase() ?? `stage ${stages.size}`, stage.env);
    }
    stage.add(instruction);
    return [
      ...images,
      ...readCommands(path, instruction, lines, stage),
      ...readVariable(path, instruction, stage),
    ];
  });
}

/** The variables of a stage, as far as its instructions were read. */
class Stage {
  readonly env: Map<string, readonly ImagePiece[] | null>;
  readonly #arguments = new Map<string, readonly ImagePiece[] | null>();
  readonly #global: BuildArguments;
  readonly #give: GiveArgument;

  /**
   * @param global What stands before the first stage, which a stage has where it asks for it
   * @param inherited The variables of the stage that it starts from
   * @param give What the build gives
   */
  constructor(global: BuildArguments, inherited: BuildArguments, give: GiveArgument) {
    this.#global = global;
    this.#give = give;
    this.env = new Map(inherited);
  }

  /** Takes what an instruction sets. */
  add(instruction: Instruction): void {
    if (!(instruction instanceof Arg || instruction instanceof Env)) return;
    const target = instruction instanceof Env ? this.env : this.#arguments;
    for (const property of instruction.getProperties()) {
      const value = property.getValue();
      const name = property.getName();
      const inherited = this.#global.get(name) ?? null;
      const written = value ?? (inherited === null ? null : showPieces(inherited));
      const given = instruction instanceof Arg ? this.#give(name, written) ?? null : null;
      if (given !== null) target.set(name, given);
      else if (value !== null) target.set(name, resolveVariables(value, this.list()));
      else if (!target.has(name)) target.set(name, inherited);
    }
  }

  /** All that is set. */
  list(): BuildArguments {
    return new Map([...this.#arguments, ...this.env]);
  }

  /** What a variable holds, or null where that is not known. */
  readonly find = (name: string): string | null => {
    const pieces = this.env.get(name) ?? this.#arguments.get(name) ?? null;
    return pieces?.every(({ isKnown }) => isKnown) === true ? showPieces(pieces) : null;
  };
}

/** Whether an image is a stage before it, also where the build decides which: `base-${TARGETARCH}`. */
function isStage(pieces: readonly ImagePiece[], stages: ReadonlyMap<string, unknown>): boolean {
  if (pieces.every(({ isKnown }) => isKnown)) return stages.has(showPieces(pieces).toLowerCase());
  if (pieces.every(({ isKnown, text }) => !isKnown || text === "")) return false;
  const pattern = pieces.map(({ text, isKnown }) => isKnown ? RegExp.escape(text) : ".+").join("");
  return stages.keys().some((name) => new RegExp(`^${pattern}$`, "i").test(name));
}

function readCommands(
  path: string,
  instruction: Instruction,
  lines: readonly string[],
  { find }: Stage,
): Declaration[] {
  if (!(instruction instanceof Run)) return [];
  const position = toPosition(instruction.getRange().start);
  return listScripts(instruction, lines).flatMap((text) => readInstallCommands(text, find))
    .map((claim) => ({ ...claim, path, position }));
}

/** The words of a command as a script that says the same. */
function joinWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/** The scripts of a `RUN`: its heredocs, the words of its JSON, or all behind it. */
function listScripts(instruction: Run, lines: readonly string[]): string[] {
  const heredocs = instruction.getHeredocs().map((it) => it.getContentRange())
    .filter((range) => range !== null);
  if (heredocs.length > 0) {
    return heredocs.map(({ start, end }) => lines.slice(start.line, end.line + 1).join("\n"));
  }
  const words = instruction.getJSONStrings().map((it) => it.getJSONValue());
  return words.length > 0 ? [joinWords(words)] : [instruction.getRawArgumentsContent() ?? ""];
}

/** `ENV UV_PYTHON=3.12` decides for every uv after it, and so does an `ARG` of that name. */
function readVariable(path: string, instruction: Instruction, { find }: Stage): Declaration[] {
  if (!(instruction instanceof Env || instruction instanceof Arg)) return [];
  return instruction.getProperties()
    .filter((it) => it.getName() === "UV_PYTHON" && it.getValue() !== null).map((it) => {
      const known = find("UV_PYTHON");
      const claim = known === null
        ? claimFloating("the variable in it is known only to the build")
        : claimVersion("python", known);
      const position = toPosition(it.getRange().start);
      const text = known ?? it.getValue() ?? "";
      return { runtime: "python", source: "UV_PYTHON", path, position, text, claim };
    });
}

function collectArguments(instructions: readonly Arg[], give: GiveArgument): BuildArguments {
  const known = new Map<string, readonly ImagePiece[] | null>();
  for (const instruction of instructions) {
    for (const property of instruction.getProperties()) {
      const value = property.getValue();
      const name = property.getName();
      const written = value === null ? null : resolveVariables(value, known);
      known.set(name, give(name, value) ?? written);
    }
  }
  return known;
}

/**
 * Puts the values of variables in; what has none is a piece that is not known.
 *
 * @param text With `$NAME`, `${NAME}`, `${NAME-default}` or `${NAME:-default}` in it
 * @param known The variables; null where one is there and has no value
 */
function resolveVariables(text: string, known: BuildArguments): readonly ImagePiece[] {
  const unknown = [{ text, isKnown: false }];
  if (text.length > MAX_LENGTH) return unknown;
  const pieces: ImagePiece[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [written, braced, colon, fallback, bare] = match;
    pieces.push({ text: text.slice(end, match.index), isKnown: true });
    end = match.index + written.length;
    const value = known.get(braced ?? bare ?? "") ?? null;
    const isGiven = value !== null && (colon !== ":" || showPieces(value) !== "");
    if (isGiven || fallback === undefined) {
      pieces.push(...value ?? [{ text: written, isKnown: false }]);
    } else pieces.push({ text: fallback, isKnown: true });
  }
  pieces.push({ text: text.slice(end), isKnown: true });
  return showPieces(pieces).length > MAX_LENGTH ? unknown : pieces;
}

function showPieces(pieces: readonly ImagePiece[]): string {
  return pieces.map(({ text }) => text).join("");
}

function listImages(instruction: Instruction): ImageUse[] {
  if (instruction instanceof From) return listBaseImage(instruction);
  if (instruction instanceof Onbuild) {
    const trigger = instruction.getTriggerInstruction();
    return trigger instanceof Onbuild || trigger === null ? [] : listImages(trigger);
  }
  return instruction instanceof Copy || instruction instanceof Run
    ? listFlagImages(instruction)
    : [];
}

function listBaseImage(instruction: From): ImageUse[] {
  const image = instruction.getImage();
  const start = instruction.getImageRange()?.start;
  if (image === null || start === undefined) return [];
  return [{ source: "FROM", image, position: toPosition(start) }];
}

function listFlagImages(instruction: JSONInstruction): ImageUse[] {
  return instruction.getFlags().flatMap((flag) => {
    const value = flag.getValue() ?? "";
    const image = flag.getName() === "from"
      ? value
      : flag.getName() === "mount"
      ? MOUNT_SOURCE.exec(value)?.[1]
      : undefined;
    if (image === undefined) return [];
    const source = `${instruction.getKeyword()} --${flag.getName()}`;
    return [{ source, image, position: toPosition(flag.getRange().start) }];
  });
}

function toPosition({ line, character }: { line: number; character: number }): Position {
  return { line: line + 1, column: character + 1 };
}

function declare(path: string, use: ImageUse, pieces: readonly ImagePiece[]): Declaration[] {
  const { source, image, position } = use;
  const place = { source, path, position, written: image };
  return declareImage(place, pieces, "a build argument has no default that is known");
}

/** Where an image is named. */
interface ImagePlace {
  /** What names it, such as `services.image`. */
  readonly source: string;
  readonly path: string;
  readonly position: Position;
  /** The reference as it is written. */
  readonly written: string;
}

/**
 * Makes the declarations of an image.
 *
 * @param place Where it is named
 * @param pieces The reference, its variables resolved
 * @param reason Why what is not known is not, for the finding
 */
export function declareImage(
  { source, path, position, written }: ImagePlace,
  pieces: readonly ImagePiece[],
  reason: string,
): Declaration[] {
  const isDecided = pieces.every(({ isKnown }) => isKnown);
  return claimImage(pieces).map(({ runtime, claim }) => ({
    runtime,
    source,
    path,
    position,
    text: isDecided ? showPieces(pieces) : written,
    claim: isDecided || claim.kind !== "floating"
      ? claim
      : claimFloating(`${claim.reason}: ${reason}`),
  }));
}

/**
 * Reads the images of a compose file's services. Variables count with the defaults that stand beside
 * them.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readCompose(path: string, root: YamlNode): Declaration[] {
  const services = getYamlValue(root, "services");
  return (services?.kind === "map" ? services.entries : []).flatMap(({ value }) => [
    ...readServiceImage(path, getYamlValue(value, "image")),
    ...readServiceVariable(path, getYamlValue(value, "environment")),
    ...readInlineDockerfile(path, getYamlValue(getYamlValue(value, "build"), "dockerfile_inline")),
  ]);
}

function readServiceImage(path: string, image: YamlNode | null): Declaration[] {
  if (image?.kind !== "scalar" || image.value === null) return [];
  const written = textOfScalar(image);
  const place = { source: "services.image", path, position: image.position, written };
  const pieces = resolveVariables(written, new Map());
  return declareImage(place, pieces, "a variable in it has no default");
}

/** `environment` is a mapping, or a list of `NAME=value`. */
function readServiceVariable(path: string, environment: YamlNode | null): Declaration[] {
  const listed = environment?.kind === "seq" ? environment.items : [];
  const given = [getYamlValue(environment, "UV_PYTHON"), ...listed].flatMap((node) => {
    if (node?.kind !== "scalar" || node.value === null) return [];
    const [, value] = listed.length === 0
      ? ["", textOfScalar(node)]
      : /^UV_PYTHON=(.*)$/.exec(textOfScalar(node)) ?? [];
    return value === undefined ? [] : [{ text: value, position: node.position }];
  });
  return given.map(({ text: written, position }) => {
    const pieces = resolveVariables(written, new Map());
    const text = showPieces(pieces);
    const claim = pieces.every(({ isKnown }) => isKnown)
      ? claimVersion("python", text)
      : claimFloating("a variable in it has no default");
    return { runtime: "python", source: "UV_PYTHON", path, position, text, claim };
  });
}

function readInlineDockerfile(path: string, inline: YamlNode | null): Declaration[] {
  if (inline?.kind !== "scalar") return [];
  const { position } = inline;
  return readDockerfile(path, textOfScalar(inline)).map((it) => ({ ...it, position }));
}

/** The features of devcontainers that install a runtime, by the last part of their names. */
const FEATURES: ReadonlyMap<string, RuntimeName> = new Map([
  ["python", "python"],
  ["node", "node"],
  ["deno", "deno"],
]);

/**
 * Reads the image, the features, the variables and the commands of a devcontainer.json.
 *
 * @param path The file's path
 * @param text Its content, JSON with comments
 * @throws {KprovError} `data` where it is not JSON
 */
export function readDevcontainer(path: string, text: string): Declaration[] {
  const root = parseJsonc(text);
  return listProperties(root).flatMap(([key, value]) => {
    if (key === "image") return readDevcontainerImage(path, text, value);
    if (key === "containerEnv" || key === "remoteEnv") return readEnvironment(path, text, value);
    if (key.endsWith("Command")) return readLifecycle(path, text, value);
    if (key !== "features") return [];
    return listProperties(value).flatMap(([name, options]) =>
      readFeature(path, text, name, options)
    );
  });
}

function parseJsonc(text: string): Node | undefined {
  const errors: ParseError[] = [];
  try {
    const root = parseTree(text, errors, { allowTrailingComma: true });
    if (errors.length === 0) return root;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  throw new KprovError("data", "it is not JSON");
}

function listProperties(node: Node | undefined): (readonly [string, Node])[] {
  if (node?.type !== "object") return [];
  return (node.children ?? []).flatMap(({ children = [] }) => {
    const [key, value] = children;
    return key === undefined || value === undefined ? [] : [[`${key.value}`, value] as const];
  });
}

function readDevcontainerImage(path: string, text: string, node: Node): Declaration[] {
  if (typeof node.value !== "string") return [];
  const place = {
    source: "image",
    path,
    position: placeInText(text, node.offset),
    written: node.value,
  };
  // `${localEnv:NAME:default}`
  const plain = node.value.replace(/\$\{\w+:\w+:([^{}]*)\}/g, "$1");
  const pieces = resolveVariables(plain.replace(/\$\{\w+:(\w+)\}/g, "${$1}"), new Map());
  return declareImage(place, pieces, "a variable in it is known only on the developer's machine");
}

function readFeature(path: string, text: string, name: string, options: Node): Declaration[] {
  const [reference = ""] = name.toLowerCase().split(/[:@]/, 1);
  const runtime = FEATURES.get(reference.slice(reference.lastIndexOf("/") + 1));
  if (runtime === undefined) return [];
  const given = new Map(listProperties(options));
  // The short form `"…/node:1": "20"` gives the version itself.
  const version = options.type === "object" ? given.get("version") : options;
  const more = given.get("additionalVersions");
  const declared = [
    { node: version ?? options, text: textOfNode(version) },
    ...textOfNode(more).split(",").filter((it) => it.trim() !== "")
      .map((it) => ({ node: more ?? options, text: it.trim() })),
  ];
  // `none` leaves the runtime out.
  return declared.filter((it) => it.text !== "none").map((it) => ({
    runtime,
    source: `feature ${reference}`,
    path,
    position: placeInText(text, it.node.offset),
    text: it.text,
    claim: claimVersion(runtime, it.text),
  }));
}

function textOfNode(node: Node | undefined): string {
  return typeof node?.value === "string" ? node.value : "";
}

function readEnvironment(path: string, text: string, variables: Node): Declaration[] {
  return listProperties(variables).filter(([name]) => name === "UV_PYTHON").map(([, node]) => ({
    runtime: "python",
    source: "UV_PYTHON",
    path,
    position: placeInText(text, node.offset),
    text: textOfNode(node),
    claim: claimVersion("python", textOfNode(node)),
  }));
}

/** A command of the container's life is a script, a list of words, or several of either by name. */
function readLifecycle(path: string, text: string, node: Node): Declaration[] {
  if (node.type === "object") {
    return listProperties(node).flatMap(([, command]) => readLifecycle(path, text, command));
  }
  const script = node.type === "array"
    ? joinWords((node.children ?? []).map(textOfNode))
    : textOfNode(node);
  const position = placeInText(text, node.offset);
  return readInstallCommands(script).map((it) => ({ ...it, path, position }));
}

/**
 * Lists the builds of Dockerfiles that the services of a compose file ask for with arguments.
 *
 * @param path The file's path
 * @param root Its content
 */
export function listComposeBuilds(path: string, root: YamlNode): ImageBuild[] {
  const services = getYamlValue(root, "services");
  return (services?.kind === "map" ? services.entries : []).flatMap(({ value }) => {
    const build = getYamlValue(value, "build");
    const given = getYamlValue(build, "args");
    if (given === null) return [];
    const context = textOfYaml(getYamlValue(build, "context")) ?? ".";
    const file = textOfYaml(getYamlValue(build, "dockerfile")) ?? "Dockerfile";
    const pairs = given.kind === "map"
      ? given.entries.map(({ key, value }) => [key, textOfYaml(value)] as const)
      : (given.kind === "seq" ? given.items : []).map((item) => {
        const [name = "", ...rest] = (textOfYaml(item) ?? "").split("=");
        return [name, rest.length === 0 ? null : rest.join("=")] as const;
      });
    const dockerfile = resolvePath(path, context, file);
    return [{ dockerfile, given: listGiven(pairs), path, position: given.position }];
  });
}

/**
 * Lists the build of a Dockerfile that a devcontainer.json asks for with arguments.
 *
 * @param path The file's path
 * @param text Its content
 * @throws {KprovError} `data` where it is not JSON
 */
export function listDevcontainerBuilds(path: string, text: string): ImageBuild[] {
  return listProperties(parseJsonc(text)).filter(([key]) => key === "build").flatMap(
    ([, build]) => {
      const parts = new Map(listProperties(build));
      const given = parts.get("args");
      const file = textOfNode(parts.get("dockerfile"));
      if (given === undefined || file === "") return [];
      const pairs = listProperties(given).map(([name, node]) => [name, textOfNode(node)] as const);
      return [{
        dockerfile: resolvePath(path, file),
        given: listGiven(pairs),
        path,
        position: placeInText(text, given.offset),
      }];
    },
  );
}

function textOfYaml(node: YamlNode | null): string | null {
  return node?.kind === "scalar" && node.value !== null ? textOfScalar(node) : null;
}

/** What has no value comes from the environment of who builds. */
function listGiven(pairs: readonly (readonly [string, string | null])[]): GivenArguments {
  return new Map(
    pairs.flatMap(([name, value]) =>
      value === null ? [] : [[name, resolveVariables(value, new Map())] as const]
    ),
  );
}

/** A path as a file names it, from that file's own directory. */
function resolvePath(path: string, ...parts: readonly string[]): string {
  const places = path.split("/").slice(0, -1);
  for (const place of parts.flatMap((part) => part.split("/"))) {
    if (place === "..") places.pop();
    else if (place !== "." && place !== "") places.push(place);
  }
  return places.join("/");
}
