/** A path of this system with `/` between the parts, as results show it. */
export function toPosixPath(path: string): string {
  return Deno.build.os === "windows" ? path.replaceAll("\\", "/") : path;
}
