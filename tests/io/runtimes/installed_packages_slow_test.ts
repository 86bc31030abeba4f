import { gatherProgram, locateExecutable } from "../../../src/io/tools.ts";
import { gatherRuntimes } from "../../../src/io/runtimes/runtimes.ts";
import { assert, assertEquals } from "../../assert.ts";
import { decode } from "../../run_kprov.ts";
import { makeTree } from "../../temporary_tree.ts";
import { unless } from "../../unless.ts";
import { run, whyNoPython } from "./python_environment.ts";

/** Whether a package manager can fetch anything here. */
async function whyNotFetched(program: string, args: readonly string[]): Promise<string | null> {
  if (locateExecutable(program, "/").state !== "found") return `${program} is not installed`;
  const command = new Deno.Command(program, { args: [...args], stdin: "null", cwd: "/tmp" });
  const { success, stderr } = await command.output();
  return success ? null : `${program} fetches nothing: ${decode(stderr).split("\n")[0]}`;
}

const noPip = whyNoPython() ??
  await whyNotFetched("python3", [
    "-m",
    "pip",
    "download",
    "-q",
    "-d",
    "/tmp/kprov-none",
    "--no-deps",
    "six",
  ]);
const noNpm = await whyNotFetched("npm", ["view", "lodash@4.17.21", "version"]);
try {
  Deno.removeSync("/tmp/kprov-none", { recursive: true });
} catch {
  // Nothing was fetched.
}

/** What kprov records of the packages of a command's runtime, by name. */
async function listRecorded(argv: readonly [string, ...string[]], cwd: string): Promise<unknown[]> {
  const root = { given: ".", path: cwd };
  const tools = gatherProgram(argv, root);
  const [found] = await gatherRuntimes({ tools, root, wantsPackages: true });
  assert(found !== undefined);
  return [...found.recorded.packages ?? []];
}

function toPairs(packages: readonly unknown[]): string[] {
  return packages.map((entry) => {
    const { name, version } = Object(entry);
    return `${String(name).replace(/[-_.]+/g, "-").toLowerCase()} ${version}`;
  }).sort();
}

const WANTED = ["pandas", "scikit-learn"];

Deno.test(
  ...unless(
    noPip,
    "pandas and scikit-learn are recorded as pip lists them, and as uv installs them",
  ),
  async () => {
    using tree = makeTree();
    const [pip, uv] = ["by-pip", "some/where/by-uv"];
    await run("python3", ["-m", "venv", tree.at(pip)]);
    await run("python3", ["-m", "venv", tree.at(uv)]);
    await run(tree.at(`${pip}/bin/pip`), ["install", "--quiet", "--no-compile", ...WANTED]);
    const listed = await run(tree.at(`${pip}/bin/pip`), ["list", "--format", "json"]);
    const byPip = await listRecorded([`${pip}/bin/python`], tree.path);
    assertEquals(toPairs(byPip), toPairs(JSON.parse(listed)));

    const frozen = (await run(tree.at(`${pip}/bin/pip`), ["freeze"])).trim().split("\n");
    await run(tree.at(`${pip}/bin/pip`), ["install", "--quiet", "--no-compile", "uv"]);
    const installer = tree.at(`${pip}/bin/uv`);
    const python = tree.at(`${uv}/bin/python`);
    await run(installer, ["pip", "install", "--quiet", "--python", python, ...frozen]);
    const byUv = await listRecorded([`${uv}/bin/python`], tree.path);
    const uvList = await run(installer, ["pip", "list", "--format", "json", "--python", python]);
    assertEquals(toPairs(byUv), toPairs(JSON.parse(uvList)));
    // The same wheels are the same packages, whoever installed them, and wherever.
    assertEquals(byUv, byPip);
  },
);

/** A package as `npm ls --json` tells it. */
interface ListedPackage {
  readonly version?: string;
  readonly extraneous?: boolean;
  readonly dependencies?: Readonly<Record<string, ListedPackage>>;
}

function listDependencies({ dependencies = {} }: ListedPackage): string[] {
  return Object.entries(dependencies).flatMap(([name, entry]) => [
    // What a package's own script installed is in no lockfile.
    ...(entry.extraneous === true && name.startsWith("node-linux")
      ? []
      : [`${name} ${entry.version}`]),
    ...listDependencies(entry),
  ]);
}

Deno.test(
  ...unless(noNpm, "node@22 from npm is recorded as what it is, with the packages that npm lists"),
  async () => {
    using tree = makeTree({ "package.json": '{"name": "x", "private": true}' });
    await run("npm", ["install", "--silent", "node@22", "express@4.21.2"], tree.path);
    const listed: ListedPackage = JSON.parse(
      decode(
        (await new Deno.Command("npm", { args: ["ls", "--json", "--all"], cwd: tree.path })
          .output()).stdout,
      ),
    );
    const packages = await listRecorded(["node_modules/.bin/node", "-e", "0"], tree.path);
    const recorded = packages.map((entry) => `${Object(entry).name} ${Object(entry).version}`)
      .sort();
    assertEquals([...new Set(recorded)], [...new Set(listDependencies(listed))].sort());
    const [node] = recorded.filter((entry) => entry.startsWith("node 22."));
    const version = await run(tree.at("node_modules/.bin/node"), ["--version"]);
    assertEquals(node, `node ${version.trim().slice(1)}`);
  },
);
