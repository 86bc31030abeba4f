import { relative } from "node:path/posix";
import { stagePackage } from "../.github/release/stage_package.ts";
import config from "../deno.json" with { type: "json" };
import { isDenoInRange } from "../src/base/std.ts";
import { sha256Hex } from "../src/base/canonical_json.ts";
import { decode, type Ended } from "./run_kprov.ts";
import { listBelow, makeTree, type TemporaryTree } from "./temporary_tree.ts";

/** Deno 2.8 takes a package that has pre-releases only by its version, as the docs say. */
const MUST_NAME_VERSION = config.version.includes("-") &&
  !isDenoInRange(Deno.version.deno, ">=2.9.0");

/** How the package is named on the command line and in an import. */
export const JSR_PACKAGE: string = `jsr:${config.name}${
  MUST_NAME_VERSION ? `@${config.version}` : ""
}`;

/** A registry that serves the package as `deno publish` would publish it, as JSR does. */
export interface JsrRegistry extends AsyncDisposable {
  /** Its address, for JSR_URL. */
  readonly url: string;
  /** Where it has the package's files. */
  readonly base: string;
  /** The paths of the package's files, sorted. */
  readonly files: readonly string[];
  /** The paths that were asked for. */
  readonly requests: readonly string[];
}

/** The package's files by their paths, as they are served, and what its entries are. */
interface Published {
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly exports: unknown;
}

let staged: Promise<Published> | undefined;

/** Starts the registry on the loopback interface. */
export async function serveJsr(): Promise<JsrRegistry> {
  staged ??= readStaged();
  const { files, exports } = await staged;
  const start = `/${config.name}/`;
  const documents = new Map<string, unknown>([
    [`${start}meta.json`, {
      scope: "kprov",
      name: "cli",
      latest: config.version,
      versions: { [config.version]: {} },
    }],
    [`${start}${config.version}_meta.json`, {
      manifest: Object.fromEntries(
        [...files].map(([path, bytes]) => [`/${path}`, describe(bytes)]),
      ),
      exports,
    }],
  ]);
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    const document = documents.get(pathname);
    if (document !== undefined) return Response.json(document);
    const bytes = files.get(pathname.replace(`${start}${config.version}/`, ""));
    if (bytes === undefined) return new Response(null, { status: 404 });
    return new Response(bytes, { headers: { "content-type": contentType(pathname) } });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const base = `${url}${config.name}/${config.version}/`;
  const paths = [...files.keys()].sort();
  return { url, base, files: paths, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

/**
 * Runs Deno with nothing in its cache but what earlier calls with the same cache put there.
 *
 * @param args What follows `deno run`
 * @param tree Has the cache, and a directory to run in
 * @param registry Where `jsr:` leads
 * @param directory The directory to run in
 */
export async function runDeno(
  args: readonly string[],
  tree: TemporaryTree,
  registry: Pick<JsrRegistry, "url">,
  directory = "work",
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...args],
    cwd: tree.at(directory),
    env: { JSR_URL: registry.url, DENO_DIR: tree.at("cache"), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

async function readStaged(): Promise<Published> {
  using tree = makeTree();
  await stagePackage(tree.path);
  const { imports, exports } = JSON.parse(Deno.readTextFileSync(tree.at("deno.json")));
  const files = listBelow(tree.path).filter((path) => !path.endsWith("/")).map((path) => {
    const bytes = Deno.readFileSync(tree.at(path));
    return [path, path.endsWith(".ts") ? resolveBareNames(path, bytes, imports) : bytes] as const;
  });
  return { files: new Map(files), exports };
}

/** Publishing puts what deno.json maps a bare name to in its place: JSR has no import map. */
function resolveBareNames(
  path: string,
  bytes: Uint8Array,
  imports: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const source = new TextDecoder().decode(bytes).replace(
    /(\bfrom |\bimport\(|^import )"([^".][^"]*)"/gm,
    (whole, start, name) => {
      const target = imports[name];
      return target === undefined ? whole : `${start}"./${relative(`${path}/..`, target)}"`;
    },
  );
  return new TextEncoder().encode(source);
}

function describe(bytes: Uint8Array): { readonly size: number; readonly checksum: string } {
  return { size: bytes.length, checksum: `sha256-${sha256Hex(bytes)}` };
}

function contentType(path: string): string {
  if (path.endsWith(".ts")) return "text/typescript";
  if (path.endsWith(".js")) return "text/javascript";
  return path.endsWith(".json") ? "application/json" : "text/plain";
}
