/**
 * What the reference of a container image says of the runtimes in it, whoever publishes it. Only names
 * and tags are read: the registry is never asked.
 *
 * @module
 */

import { type Claim, claimFloating, claimVersion, type RuntimeName } from "./declaration.ts";

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
/** `node`, `python-311`, `nodejs20-debian12`, `aws-lambda-python`, `javascript-node`, `build-nodejs18.x`. */
const RUNTIME_IMAGE =
  /^(?:aws-lambda-|build-|javascript-|typescript-)?(deno|nodejs|node|python)(?:-?(\d+(?:\.[\dx]+)*))?(?:-(?:debian|alpine|ubuntu|ubi|rhel|centos|c\ds|minimal|slim)[\w.]*)*$/;
/** `python3.12-bookworm`, `4-node20`: images of another purpose name the runtime in their tags. */
const RUNTIME_IN_TAG =
  // deno-lint-ignore no-control-regex
  /(?:^|[-_.])(deno|nodejs|node|python|py)-?v?(\d+(?:\.\d+){0,2}|\d*\.?\u0000)(?=$|[-_])/g;
const TAG = /^(\d+(?:\.\d+){0,2}(?:(?:a|b|rc)\d+)?)(?:-([\w.-]+))?$/;
const DENO_VARIANT = /^(?:alpine|bin|centos|debian|distroless|ubuntu)-/;
const UNRELEASED_VARIANT = /^(?:alpha|beta|dev|nightly|rc|test)/;
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
    return [{ runtime: null, claim: claimFloating("it cannot be decided which image it is") }];
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
  const [first = ""] = parts;
  const hasRegistry = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  const [name = "", tag = null] = (parts.at(-1) ?? "").split(":", 2);
  const owner = parts.slice(hasRegistry ? 1 : 0, -1).at(-1) ?? "";
  return { name, owner, tag, digest };
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
  return claimFloating("its tag cannot be decided");
}

/** `python-311` is Python 3.11. */
function splitDigits(runtime: RuntimeName, version: string): string {
  return runtime === "python" ? version.replace(/^([23])(\d{1,2})$/, "$1.$2") : version;
}

function claimName({ name, owner, tag, digest }: Reference): ImageClaim[] {
  const [match, written = "", number = ""] = RUNTIME_IMAGE.exec(name) ?? [];
  if (match === undefined) return [];
  const runtime = toRuntime(written);
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
  const [match, version = "", variant = ""] = TAG.exec(tag) ?? [];
  if (match === undefined) return claimWord(runtime, tag);
  if (UNRELEASED_VARIANT.test(variant)) {
    return claimFloating("its tag names no release but whatever comes before one");
  }
  return claimVersion(runtime, version);
}

/** `node:jod-slim` is named for a line of Node; other tags without a version say nothing. */
function claimWord(runtime: RuntimeName, tag: string): Claim {
  const claim = runtime === "node" ? claimVersion("node", tag.split("-", 1)[0] ?? "") : null;
  return claim?.kind === "range" ? claim : claimFloating("its tag does not start with a version");
}
