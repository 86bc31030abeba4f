import type { RecordedPackage } from "../../../mod.ts";
import { makeInstalledReader } from "../../../src/commands/status.ts";
import { type FoundRuntime, gatherRuntimes } from "../../../src/io/runtimes/runtimes.ts";
import { resolveRoot } from "../../../src/io/paths.ts";
import { gatherProgram } from "../../../src/io/tools.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeTree, type TemporaryTree } from "../../temporary_tree.ts";
import { unless } from "../../unless.ts";
import { install, makeEnvironment, whyNoPython } from "./python_environment.ts";

const noPython = whyNoPython();

/** What a Python tells of itself. */
async function ask(tree: TemporaryTree, ...args: string[]): Promise<FoundRuntime> {
  const root = resolveRoot(tree.path);
  const tools = gatherProgram([".venv/bin/python", ...args], root);
  const [runtime] = await gatherRuntimes({ tools, root, wantsPackages: true });
  assert(runtime);
  return runtime;
}

/** What is read of it without asking. */
function read(
  tree: TemporaryTree,
  { recorded, tool }: FoundRuntime,
): readonly RecordedPackage[] | null {
  return makeInstalledReader(resolveRoot(tree.path))(recorded, [tool])?.packages ?? null;
}

Deno.test(
  ...unless(noPython, "what is read of a virtual environment is what its Python tells"),
  async () => {
    using tree = makeTree({ "main.py": "" });
    const sitePackages = await makeEnvironment(tree.at(".venv"));
    install(sitePackages, [
      { name: "Some_Thing", version: "1.0", rows: ['"a, b/\u00e9"".py",sha256=abc,3', "b/c.py,,"] },
      { name: "plain", version: "2.0" },
      {
        name: "edited",
        version: "1",
        directUrl: { url: "file:///a", dir_info: { editable: true } },
      },
      {
        name: "pinned",
        version: "3",
        directUrl: {
          url: "git+https://user:secret@example.org/a.git",
          vcs_info: { vcs: "git", commit_id: "0123456789".repeat(4) },
        },
      },
    ]);
    Deno.mkdirSync(`${sitePackages}/egg.egg-info`);
    Deno.writeTextFileSync(`${sitePackages}/egg.egg-info/PKG-INFO`, "Name: egg\nVersion: 4\n\nx");
    const asked = await ask(tree, "main.py");
    assertEquals(asked.recorded.packages?.length, 5);
    const sort = (packages: readonly RecordedPackage[] | null): unknown =>
      packages?.toSorted((a, b) => a.name < b.name ? -1 : 1);
    assertEquals(sort(read(tree, asked)), sort(asked.recorded.packages));
    install(sitePackages, [{ name: "plain", version: "2.1" }]);
    const versions = read(tree, asked)?.map(({ name, version }) => `${name} ${version}`);
    assert(versions?.includes("plain 2.1"), `${versions}`);
  },
);

Deno.test(
  ...unless(noPython, "a package that is gone is not read; an egg beside the script is not missed"),
  async () => {
    using tree = makeTree({
      "app/main.py": "",
      "app/own.egg-info/PKG-INFO": "Name: own\nVersion: 1\n",
    });
    const sitePackages = await makeEnvironment(tree.at(".venv"));
    install(sitePackages, [{ name: "a", version: "1" }, { name: "b", version: "1" }]);
    const asked = await ask(tree, "app/main.py");
    assertEquals(asked.recorded.packages?.map(({ name }) => name), ["a", "b", "own"]);
    Deno.removeSync(`${sitePackages}/b-1.dist-info`, { recursive: true });
    assertEquals(read(tree, asked)?.map(({ name }) => name), ["a", "own"]);
  },
);

Deno.test(
  ...unless(noPython, "an environment that takes packages from outside cannot be read so"),
  async () => {
    using tree = makeTree({ "main.py": "" });
    await makeEnvironment(tree.at(".venv"));
    const asked = await ask(tree, "main.py");
    assertEquals(read(tree, asked), []);
    const config = tree.at(".venv/pyvenv.cfg");
    const text = Deno.readTextFileSync(config);
    Deno.writeTextFileSync(config, text.replace(/(site-packages = )false/, "$1true"));
    assertEquals(read(tree, asked), null);
    Deno.removeSync(config);
    assertEquals(read(tree, asked), null);
  },
);
