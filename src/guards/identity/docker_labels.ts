import { type Finding, type FindingDetails, makeFinding } from "../../base/finding.ts";
import { quote } from "../../base/quote.ts";
import { decodeText, placeInText } from "../../base/text.ts";
import type { ContentHit, RepositoryFacts, TrackedEntry } from "../guard.ts";
import type { IdentityPolicy } from "../policy.ts";
import { type DockerLabel, type DockerStage, parseDockerLabels } from "./docker_words.ts";

type Labels = Readonly<Record<string, string>>;

interface Dockerfile {
  readonly path: string;
  readonly text: string;
  readonly stages: readonly DockerStage[];
}

// Far beyond any Dockerfile that people write, and what is parsed in well under a second.
const MOST_BYTES = 2 ** 18;
const CODE = "identity.docker_label";
const DEFAULT_GLOBS: readonly string[] = ["**/Dockerfile", "**/*.Dockerfile"];

/**
 * Lists the globs of the files that are Dockerfiles.
 *
 * @param identity The policy's section
 */
export function listDockerfileGlobs(identity: IdentityPolicy): readonly string[] {
  return identity.dockerfiles ?? DEFAULT_GLOBS;
}

/**
 * Checks that the image of each Dockerfile gets the labels that it must have: those of its last
 * stage, with what that takes over from an earlier one.
 *
 * @param required The labels and their values
 * @param dockerfiles The tracked Dockerfiles
 * @param facts Of the repository, with the Dockerfiles whole
 */
export function checkDockerLabels(
  required: Labels,
  dockerfiles: readonly TrackedEntry[],
  facts: RepositoryFacts,
): Finding[] {
  if (Object.keys(required).length === 0) return [];
  return dockerfiles.flatMap((entry) => {
    const dockerfile = readDockerfile(entry, facts);
    return "text" in dockerfile
      ? checkDockerfile(required, dockerfile)
      : [makeFinding(CODE, `cannot read ${quote(entry.path)}: ${dockerfile.reason}`, {
        path: entry.path,
      })];
  });
}

/**
 * Drops the hits of the display name that stand in the value of a description label, the one place
 * in a Dockerfile where it may.
 *
 * @param hits What the content rules matched
 * @param dockerfiles The tracked Dockerfiles
 * @param facts Of the repository, with the Dockerfiles whole
 */
export function dropDescriptionHits(
  hits: readonly ContentHit[],
  dockerfiles: readonly TrackedEntry[],
  facts: RepositoryFacts,
): readonly ContentHit[] {
  const byPath = Map.groupBy(hits.filter(isDisplayName), ({ path }) => path);
  const isDropped = new Map<string, (hit: ContentHit) => boolean>();
  for (const entry of dockerfiles) {
    const found = byPath.get(entry.path) ?? [];
    // Those that are not listed stand elsewhere in the file.
    if (found.length === 0 || found.some(({ unlisted }) => unlisted !== undefined)) continue;
    const dockerfile = readDockerfile(entry, facts);
    if ("text" in dockerfile) isDropped.set(entry.path, matchDescriptions(dockerfile));
  }
  return hits.filter((hit) => !isDisplayName(hit) || isDropped.get(hit.path)?.(hit) !== true);
}

function isDisplayName({ code }: ContentHit): boolean {
  return code === "identity.display_name";
}

function readDockerfile(
  { path, kind }: TrackedEntry,
  { contents }: RepositoryFacts,
): Dockerfile | { readonly reason: string } {
  if (kind === "symlink") return { reason: "it is a symbolic link" };
  const content = contents.get(path);
  if (content === undefined) return { reason: "its content was not read" };
  if (!content.ok) return { reason: content.reason };
  if (content.bytes.length > MOST_BYTES) return { reason: `it is larger than ${MOST_BYTES} bytes` };
  const decoded = decodeText(content.bytes);
  if (!decoded.ok) return { reason: decoded.reason };
  return { path, text: decoded.text, stages: parseDockerLabels(decoded.text) };
}

function checkDockerfile(required: Labels, dockerfile: Dockerfile): Finding[] {
  const { path, text, stages } = dockerfile;
  const last = stages.at(-1);
  if (last === undefined) {
    return [makeFinding(CODE, `${quote(path)} has no FROM, so no image to label`, { path })];
  }
  const labels = listInherited(stages);
  const undecided = labels.filter(({ name }) => !name.ok);
  return [
    ...undecided.map(({ index }) =>
      makeFinding(CODE, "the name of a label cannot be told before the build", {
        path,
        ...placeInText(text, index),
        hint: "write the name out, without variables, and close its quotation marks",
      })
    ),
    ...Object.entries(required).flatMap(([name, value]) => {
      const label = labels.findLast((l) => l.name.ok && l.name.value === name);
      const place = placeInText(text, label === undefined ? last.index : startOfValue(label));
      return checkLabel(name, value, label, { path, ...place });
    }),
  ];
}

function checkLabel(
  name: string,
  expected: string,
  label: DockerLabel | undefined,
  place: FindingDetails,
): Finding[] {
  const hint = `Write LABEL ${name}=${JSON.stringify(expected)} in the last stage`;
  const details = { ...place, hint };
  const must = `label ${quote(name)} must be ${quote(expected)}`;
  if (label === undefined) return [makeFinding(CODE, `${must}, but is not set`, details)];
  if (!label.value.ok) {
    return [makeFinding(CODE, `${must}, but cannot be told before the build`, details)];
  }
  if (label.value.value === expected) return [];
  return [makeFinding(CODE, `${must}, but is ${quote(label.value.value)}`, details)];
}

/** The labels of the last stage, after those of the stages that it starts from. */
function listInherited(stages: readonly DockerStage[]): readonly DockerLabel[] {
  const chain: DockerStage[] = [];
  for (const stage of stages.toReversed()) {
    const child = chain.at(-1);
    if (child === undefined || child.base.toLowerCase() === stage.name) chain.push(stage);
  }
  return chain.toReversed().flatMap(({ labels }) => labels);
}

function matchDescriptions({ text, stages }: Dockerfile): (hit: ContentHit) => boolean {
  const values = stages.flatMap(({ labels }) => labels).filter(isDescription)
    .flatMap(({ valueRanges }) => valueRanges)
    .map(([start, end]) => ({ start: placeInText(text, start), end: placeInText(text, end) }));
  return ({ line, column }) =>
    values.some(({ start, end }) =>
      line === start.line && column >= start.column &&
      (line < end.line || column < end.column)
    );
}

function startOfValue({ index, valueRanges }: DockerLabel): number {
  return valueRanges[0]?.[0] ?? index;
}

function isDescription({ name }: DockerLabel): boolean {
  return name.ok && /(?:^|\.)description$/.test(name.value);
}
