import {
  type Arg,
  Copy,
  DockerfileParser,
  Env,
  From,
  type Instruction,
  type JSONInstruction,
  Onbuild,
  Run,
} from "dockerfile-ast";
import type { Position } from "../actions/yaml.ts";
import { claimFloating, claimVersion, type Declaration } from "./declaration.ts";
import { claimImage, type ImagePiece } from "./image.ts";
import { readInstallCommands } from "./install_command.ts";

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
 * runtimes that its commands install. Build arguments before the first `FROM` count with their defaults.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readDockerfile(path: string, text: string): Declaration[] {
  const file = DockerfileParser.parse(text);
  const buildArguments = collectArguments(file.getInitialARGs());
  const stages = new Set<string>();
  const lines = text.split(/\r?\n/);
  return file.getInstructions().flatMap((instruction) => {
    const uses = listImages(instruction)
      .filter(({ image }) => !stages.has(image.toLowerCase()))
      .flatMap((use) => declare(path, use, buildArguments));
    if (instruction instanceof From) {
      stages.add(instruction.getBuildStage()?.toLowerCase() ?? `stage ${stages.size}`);
    }
    return [...uses, ...readCommands(path, instruction, lines), ...readVariable(path, instruction)];
  });
}

function readCommands(
  path: string,
  instruction: Instruction,
  lines: readonly string[],
): Declaration[] {
  if (!(instruction instanceof Run)) return [];
  const position = toPosition(instruction.getRange().start);
  const heredocs = instruction.getHeredocs().map((it) => it.getContentRange())
    .filter((range) => range !== null);
  const texts = heredocs.length === 0
    ? [instruction.getRawArgumentsContent() ?? ""]
    : heredocs.map(({ start, end }) => lines.slice(start.line, end.line + 1).join("\n"));
  return texts.flatMap(readInstallCommands).map((claim) => ({ ...claim, path, position }));
}

/** `ENV UV_PYTHON=3.12` decides for every uv after it. */
function readVariable(path: string, instruction: Instruction): Declaration[] {
  if (!(instruction instanceof Env)) return [];
  return instruction.getProperties().filter((it) => it.getName() === "UV_PYTHON").map((it) => {
    const text = it.getValue() ?? "";
    const claim = text.includes("$")
      ? claimFloating("only the build knows the variable in it")
      : claimVersion("python", text);
    const position = toPosition(it.getRange().start);
    return { runtime: "python", source: "UV_PYTHON", path, position, text, claim };
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

/**
 * Puts the values of variables in; what has none is a piece that is not known.
 *
 * @param text With `$NAME`, `${NAME}`, `${NAME-default}` or `${NAME:-default}` in it
 * @param known The variables; null where one is there and has no value
 */
export function resolveVariables(text: string, known: BuildArguments): readonly ImagePiece[] {
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
  const isDecided = pieces.every(({ isKnown }) => isKnown);
  return claimImage(pieces).map(({ runtime, claim }) => ({
    runtime,
    source: use.source,
    path,
    position: use.position,
    text: isDecided ? resolved : use.image,
    claim: isDecided || claim.kind !== "floating"
      ? claim
      : claimFloating(`${claim.reason}: a build argument has no default that is known`),
  }));
}
