/** The path of a file URL, on this system. */
export function fromFileUrl(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
}

/** The path of a test's data. */
export function testdata(name: string): string {
  return fromFileUrl(new URL(`./testdata/${name}`, import.meta.url));
}
