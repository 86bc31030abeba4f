import { parseLockfile } from "../mod.ts";
import { assertEquals } from "./assert.ts";
import { decode } from "./run_kprov.ts";

const TOP = new URL("../", import.meta.url);

function readLock(path: string): readonly string[] {
  const { packages } = parseLockfile(Deno.readTextFileSync(new URL(path, TOP)));
  return packages.map(({ name, version, integrity }) => `${name}@${version} ${integrity}`);
}

/** The packages that the entries load, with those that they need themselves. */
async function listLoaded(): Promise<readonly string[]> {
  const loaded = new Set<string>();
  for (const entry of ["mod.ts", "cli.ts", "src/guards/library.ts"]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: TOP,
    }).output();
    const { npmPackages } = JSON.parse(decode(stdout));
    for (const id of Object.keys(npmPackages)) loaded.add(id);
  }
  return [...loaded].sort();
}

Deno.test("the lockfile that ships pins what kprov loads, and nothing of the tests", async () => {
  const pinned = readLock("deno.lock").map((entry) => entry.split(" ")[0] ?? "");
  assertEquals(pinned.toSorted(), await listLoaded());
});

Deno.test("the lockfile of the tests pins the same packages as the one that ships, and more", () => {
  const all = new Set(readLock("tests/deno.lock"));
  assertEquals(readLock("deno.lock").filter((entry) => !all.has(entry)), []);
});
