/** A directory that goes when the test ends: `using tree = makeTree({...})`. */
export interface TemporaryTree extends Disposable {
  /** Its absolute path, links resolved. */
  readonly path: string;
  /** The path of something in it. */
  readonly at: (name: string) => string;
}

/**
 * Makes a temporary directory with files in it.
 *
 * @param files Their content by their names
 */
export function makeTree(files: Readonly<Record<string, string | Uint8Array>> = {}): TemporaryTree {
  const path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kprov-test-" }));
  const at = (name: string): string => `${path}/${name}`;
  for (const [name, content] of Object.entries(files)) {
    const end = name.lastIndexOf("/");
    if (end > 0) Deno.mkdirSync(at(name.slice(0, end)), { recursive: true });
    if (typeof content === "string") Deno.writeTextFileSync(at(name), content);
    else Deno.writeFileSync(at(name), content);
  }
  return { path, at, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** The sorted names in a directory; none where it does not exist. */
export function listNames(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * Everything below a directory, sorted.
 *
 * @param path The directory
 * @returns Paths relative to it; those of directories end with a slash
 */
export function listBelow(path: string): string[] {
  return listNames(path).flatMap((name) =>
    Deno.lstatSync(`${path}/${name}`).isDirectory
      ? [`${name}/`, ...listBelow(`${path}/${name}`).map((below) => `${name}/${below}`)]
      : [name]
  );
}
