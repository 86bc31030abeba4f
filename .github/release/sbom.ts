/**
 * Writes what the binaries, the bundle and the package hold, as a bill of materials that scanners read
 * (CycloneDX 1.6): `deno task sbom` writes dist/kprov.cdx.json. The packages, their digests and what
 * they need come from deno.lock, their licences from the packages. It has no time and no serial number,
 * so that the same commit gives the same bytes with the same Deno.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import config from "../../deno.json" with { type: "json" };
import { renderCanonicalJson } from "../../src/base/canonical_json.ts";
import { parseLockfile } from "../../src/evidence/toolchain.ts";
import { readGraph, readPackageFile, TOP } from "./module_graph.ts";

const REPOSITORY = "https://github.com/carcodez1/kprovengine";

/** What kprov runs on: part of a binary, and needed by the bundle. */
interface SbomRuntime {
  /** Deno's version. */
  readonly deno: string;
  /** The version of V8 in it. */
  readonly v8: string;
}

/** A component of the document, as far as it is used here. */
interface Component {
  readonly type: "application" | "platform" | "library";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

/**
 * Renders the document.
 *
 * @param lock The text of deno.lock
 * @param licences The SPDX licence of each package, by name and version
 * @param runtime What kprov runs on
 */
export function renderSbom(
  lock: string,
  licences: ReadonlyMap<string, string>,
  runtime: SbomRuntime,
): string {
  const root = describeKprov();
  const deno = describeDeno(runtime);
  const v8: Component = { ...describe("library", "v8", runtime.v8), ...licensed("BSD-3-Clause") };
  const { packages } = parseLockfile(lock);
  const libraries = packages.map(({ name, version, integrity }): Component => {
    const id = `${name}@${version}`;
    const licence = licences.get(id);
    if (licence === undefined) throw new Error(`the licence of ${id} is not known`);
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    return {
      ...describe("library", name, version),
      ...licensed(licence),
      ...{ "bom-ref": purl, purl, hashes: [readIntegrity(id, integrity)] },
    };
  });
  return renderCanonicalJson({
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { lifecycles: [{ phase: "build" }], component: root },
    components: [deno, v8, ...libraries],
    dependencies: listDependencies(lock, { root, deno, v8, libraries }),
  });
}

function describe(type: Component["type"], name: string, version: string): Component {
  return { type, "bom-ref": `${name}@${version}`, name, version };
}

function licensed(licence: string): { readonly licenses: readonly unknown[] } {
  return {
    licenses: [/\s/.test(licence) ? { expression: licence } : { license: { id: licence } }],
  };
}

function describeKprov(): Component {
  return {
    ...describe("application", "kprov", config.version),
    ...licensed(config.license),
    description: "Evidence of what a pipeline did, and guards over its repository",
    externalReferences: [{ type: "vcs", url: REPOSITORY }],
  };
}

function describeDeno({ deno }: SbomRuntime): Component {
  const purl = `pkg:github/denoland/deno@v${deno}`;
  return { ...describe("platform", "deno", deno), ...licensed("MIT"), "bom-ref": purl, purl };
}

/** The digest that npm names a package by, in the form that the document wants. */
function readIntegrity(id: string, integrity: string | null): unknown {
  const [, digest] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity ?? "") ?? [];
  if (digest === undefined) throw new Error(`${id} has no SHA-512 digest in deno.lock`);
  return { alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") };
}

function listDependencies(
  lock: string,
  { root, deno, v8, libraries }: {
    readonly root: Component;
    readonly deno: Component;
    readonly v8: Component;
    readonly libraries: readonly Component[];
  },
): readonly unknown[] {
  const locked: Readonly<Record<string, { readonly dependencies?: readonly string[] }>> =
    JSON.parse(lock).npm;
  const refOf = (needed: string): string => {
    // Where there is one version of a package only, the lockfile leaves it out.
    const found = libraries.filter(({ name, version }) =>
      needed === name || needed === `${name}@${version}`
    );
    if (found.length !== 1) throw new Error(`deno.lock does not tell which ${needed} is meant`);
    return found[0]!["bom-ref"];
  };
  const needs = libraries.map((library) => ({
    ref: library["bom-ref"],
    dependsOn: locked[`${library.name}@${library.version}`]?.dependencies?.map(refOf) ?? [],
  }));
  const needed = new Set(needs.flatMap(({ dependsOn }) => dependsOn));
  const direct = needs.map(({ ref }) => ref).filter((ref) => !needed.has(ref));
  return [
    { ref: root["bom-ref"], dependsOn: [deno["bom-ref"], ...direct] },
    { ref: deno["bom-ref"], dependsOn: [v8["bom-ref"]] },
    { ref: v8["bom-ref"], dependsOn: [] },
    ...needs,
  ];
}

/** The licence that each package names. */
export async function readLicences(): Promise<ReadonlyMap<string, string>> {
  const { npmPackages } = await readGraph(["cli.ts"]);
  return new Map(
    Object.entries(npmPackages).map(([id, library]) => [
      id,
      String(JSON.parse(readPackageFile(id, library, "package.json")).license),
    ]),
  );
}

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) throw new Error("usage: deno task sbom");
  const lock = Deno.readTextFileSync(new URL("deno.lock", TOP));
  const text = renderSbom(lock, await readLicences(), Deno.version);
  Deno.mkdirSync(new URL("dist", TOP), { recursive: true });
  Deno.writeTextFileSync(new URL(path, TOP), text);
}
