import config from "../deno.json" with { type: "json" };
import { sha256Hex } from "../src/base/sha256.ts";
import { fromFileUrl } from "./paths.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url));

/** A registry that serves what `deno publish` would publish, as JSR does. */
export interface JsrRegistry extends AsyncDisposable {
  /** Its address, for JSR_URL. */
  readonly url: string;
  /** The paths that were asked for. */
  readonly requests: readonly string[];
}

/** Starts the registry on the loopback interface. */
export function serveJsr(): JsrRegistry {
  const files = new Map(listPublished().map((path) => [`/${path}`, readPublished(path)]));
  const start = `/${config.name}/`;
  const documents = new Map<string, unknown>([
    [`${start}meta.json`, {
      scope: "kprov",
      name: "cli",
      latest: config.version,
      versions: { [config.version]: {} },
    }],
    [`${start}${config.version}_meta.json`, {
      manifest: Object.fromEntries([...files].map(([path, bytes]) => [path, describe(bytes)])),
      exports: config.exports,
    }],
  ]);
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    const document = documents.get(pathname);
    if (document !== undefined) return Response.json(document);
    const bytes = files.get(pathname.replace(`${start}${config.version}`, ""));
    if (bytes === undefined) return new Response(null, { status: 404 });
    return new Response(bytes, { headers: { "content-type": contentType(pathname) } });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return { url, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** What `publish.include` names: files, and directories with everything below. */
function listPublished(): string[] {
  return config.publish.include.flatMap(listBelow).sort();
}

function listBelow(path: string): string[] {
  if (!Deno.statSync(`${TOP}/${path}`).isDirectory) return [path];
  const entries = [...Deno.readDirSync(`${TOP}/${path}`)];
  return entries.flatMap(({ name }) => listBelow(`${path}/${name}`));
}

function readPublished(path: string): Uint8Array<ArrayBuffer> {
  const bytes = Deno.readFileSync(`${TOP}/${path}`);
  if (!path.endsWith(".ts")) return bytes;
  return new TextEncoder().encode(resolveBareNames(new TextDecoder().decode(bytes)));
}

/** Publishing puts what deno.json maps a bare name to in its place: JSR has no import map. */
function resolveBareNames(source: string): string {
  const imports: Readonly<Record<string, string>> = config.imports;
  return source.replace(/(\bfrom |\bimport\(|^import )"([^".][^"]*)"/gm, (whole, start, name) => {
    const target = imports[name];
    return target === undefined ? whole : `${start}"${target}"`;
  });
}

function describe(bytes: Uint8Array): { readonly size: number; readonly checksum: string } {
  return { size: bytes.length, checksum: `sha256-${sha256Hex(bytes)}` };
}

function contentType(path: string): string {
  if (path.endsWith(".ts")) return "text/typescript";
  return path.endsWith(".json") ? "application/json" : "text/plain";
}
