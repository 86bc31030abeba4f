import {
  type Claim,
  claimFloating,
  claimVersion,
  type RuntimeName,
} from "./runtime_declaration.ts";

/** A piece of a reference, and whether it is known before the thing runs. */
export interface ImagePiece {
  readonly text: string;
  readonly isKnown: boolean;
}

/** What an image reference says of a runtime; null where it may be any runtime's image. */
export interface ImageClaim {
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
