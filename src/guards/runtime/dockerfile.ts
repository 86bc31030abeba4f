import {
  type Arg,
  Copy,
  DockerfileParser,
  From,
  type Instruction,
  type JSONInstruction,
  Onbuild,
  Run,
} from "dockerfile-ast";
import type { Position } from "../actions/yaml.ts";
import {
  type Claim,
  claimFloating,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";

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
 * Reads the images that a Dockerfile builds on: `FROM`, `COPY --from` and `RUN --mount=from=`.
 * Build arguments before the first `FROM` count with their defaults.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readDockerfile(path: string, text: string): Declaration[] {
  const file = DockerfileParser.parse(text);
  const buildArguments = collectArguments(file.getInitialARGs());
  const stages = new Set<string>();
  return file.getInstructions().flatMap((instruction) => {
    const uses = listImages(instruction)
      .filter(({ image }) => !stages.has(image.toLowerCase()))
      .flatMap((use) => declare(path, use, buildArguments));
    if (instruction instanceof From) {
      stages.add(instruction.getBuildStage()?.toLowerCase() ?? `stage ${stages.size}`);
    }
    return uses;
  });
}

function collectArguments(instructions: readonly Arg[]): BuildArguments {
  const known = new Map<string, readonly ImagePiece[] | null>();
  for (const instruction of instructions) {
    for (const property of instruction.getProperties()) {
      const value = property.getValue();
      known.set(property.getName(), value === null ? null : resolveVariables(value, known));
    }
  }
  return known;
}

/** Puts the values of build arguments in; what has none is a piece that is not known. */
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

function declare(path: string, use: ImageUse, known: BuildArguments): Declaration[] {
  const pieces = resolveVariables(use.image, known);
  const resolved = showPieces(pieces);
  if (resolved === "scratch") return [];
  const image = claimImage(pieces);
  if (image === null) return [];
  const { runtime, claim } = image;
  const isDecided = pieces.every(({ isKnown }) => isKnown);
  return [{
    runtime,
    source: use.source,
    path,
    position: use.position,
    text: isDecided ? resolved : use.image,
    claim: isDecided || claim.kind !== "floating"
      ? claim
      : claimFloating(`${claim.reason}: a build argument has no default that is known`),
  }];
}

/** A piece of a reference, and whether it is known before the thing runs. */
interface ImagePiece {
  readonly text: string;
  readonly isKnown: boolean;
}

/** What an image reference says of a runtime; null where it may be any runtime's image. */
interface ImageClaim {
  readonly runtime: RuntimeName | null;
  readonly claim: Claim;
}

/** A reference taken apart, without the registry. */
interface Reference {
  readonly name: string;
  readonly owner: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

// The official images, under every registry that mirrors them, and the two best-known families
// whose tags start with the version as the official ones do. `containers` is the dependency proxy
// of GitLab.
const OFFICIAL = ["", "library", "containers", "bitnami", "cimg"];
const OWNERS: Readonly<Record<RuntimeName, readonly string[]>> = {
  deno: ["", "denoland"],
  node: OFFICIAL,
  python: OFFICIAL,
};
const NAME = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;
const DENO_VARIANT = /^(?:alpine|bin|centos|debian|distroless|ubuntu)-/;
const TAG = /^(\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)(?:-([\w.-]+))?$/;
const UNRELEASED_VARIANT = /^(?:alpha|beta|dev|nightly|rc|test)/;
/** Stands for a piece that is not known; no reference may hold it. */
const UNDECIDED = "\u0000";

/**
 * Reads an image reference such as `docker.io/library/node:22-alpine@sha256:…`. The tag is what is
 * judged, also beside a digest.
 *
 * @param pieces The reference in pieces
 * @returns What it says, or null where it is the image of something else
 */
export function claimImage(pieces: readonly ImagePiece[]): ImageClaim | null {
  const reference = pieces.map(({ text, isKnown }) => isKnown ? text : UNDECIDED).join("").trim();
  const { name, owner, tag, digest } = splitReference(reference);
  if (!NAME.test(name)) {
    return { runtime: null, claim: claimFloating("it cannot be decided which image it is") };
  }
  if (!isRuntimeName(name)) return null;
  if (owner.includes(UNDECIDED)) {
    return { runtime: name, claim: claimFloating("it cannot be decided whose image it is") };
  }
  if (!OWNERS[name].includes(owner)) return null;
  return { runtime: name, claim: claimTag(name, tag, digest) };
}

function isRuntimeName(name: string): name is RuntimeName {
  return Object.hasOwn(OWNERS, name);
}

function splitReference(reference: string): Reference {
  const [named = "", digest = null] = reference.split("@", 2);
  const parts = named.replace(/^docker:\/\//, "").split("/");
  const [first = ""] = parts;
  const hasRegistry = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  const [name = "", tag = null] = (parts.at(-1) ?? "").split(":", 2);
  const owner = parts.slice(hasRegistry ? 1 : 0, -1).at(-1) ?? "";
  return { name, owner, tag, digest };
}

function claimTag(runtime: RuntimeName, tag: string | null, digest: string | null): Claim {
  if (tag === null) {
    return claimFloating(
      digest === null ? "it has no tag" : "a digest alone does not say which version it is",
    );
  }
  if (tag.includes(UNDECIDED)) return claimFloating("its tag cannot be decided");
  if (runtime === "deno") return claimVersion("deno", tag.replace(DENO_VARIANT, ""));
  const [match, version = "", variant = ""] = TAG.exec(tag) ?? [];
  if (match === undefined) return claimFloating("its tag does not start with a version");
  if (UNRELEASED_VARIANT.test(variant)) {
    return claimFloating("its tag names no release but whatever comes before one");
  }
  return claimVersion(runtime, version);
}
