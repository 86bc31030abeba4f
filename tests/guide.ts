import { fromFileUrl } from "./paths.ts";
import { decode } from "./run_kprov.ts";
import { installBoth, installKprov } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";

/** A command of the guide, with the output that the guide shows. */
export interface GuideStep {
  /** The line of the guide, from 1. */
  readonly line: number;
  /** The shell command. */
  readonly command: string;
  /** What it prints, standard output and error together. */
  readonly output: string;
}

/** A guide: the files that it starts from, and its commands. */
export interface Guide {
  readonly files: Readonly<Record<string, string>>;
  readonly steps: readonly GuideStep[];
}

/** A block of the guide: what stands behind its fence, its content and its first line's number. */
interface Block {
  readonly info: string;
  readonly content: string;
  readonly line: number;
}

function listBlocks(text: string): Block[] {
  return [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map((
    { 1: info = "", 2: content = "", index },
  ) => ({ info, content, line: text.slice(0, index).split("\n").length + 1 }));
}

/**
 * Reads a guide: a block of `console` holds commands behind `$ `, continued by `\`, each followed by
 * its output; a block whose fence says `file=NAME` is a file.
 *
 * @param text The guide
 */
export function parseGuide(text: string): Guide {
  const blocks = listBlocks(text);
  const files = blocks.flatMap(({ info, content }): [string, string][] => {
    const name = / file=(\S+)$/.exec(info)?.[1];
    return name === undefined ? [] : [[name, content]];
  });
  const steps = blocks.filter(({ info }) => info === "console").flatMap(parseSteps);
  return { files: Object.fromEntries(files), steps };
}

function parseSteps({ content, line }: Block): GuideStep[] {
  const parts = content.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const command = /^(?:.*\\\n)*.*\n/.exec(part)?.[0] ?? part;
    const start = content.indexOf(`$ ${part}`);
    return {
      line: line + content.slice(0, start).split("\n").length - 1,
      command: command.trimEnd(),
      output: part.slice(command.length),
    };
  });
}

/**
 * Runs a command of the guide.
 *
 * @param command The command
 * @param directory Where it runs
 * @param bin Where `kprov` is
 * @returns What it prints, standard output and error together
 */
export async function runGuideStep(
  command: string,
  directory: string,
  bin: string,
): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `exec 2>&1\n${command}`],
    cwd: directory,
    env: { NO_COLOR: "1", LC_ALL: "C", PATH: `${bin}:/usr/bin:/bin` },
    stdin: "null",
  }).output();
  return decode(stdout);
}

/** The output without what differs from machine to machine: digests, and the version of Python. */
export function maskMachine(output: string): string {
  return output.replace(/[0-9a-f]{64}/g, "<sha256>")
    .replace(/python [0-9]+\.[0-9]+\.[0-9]+/g, "python <version>");
}

/** Makes a wheel, the same bytes on every machine: path, name, version, code. */
const WHEEL = `
import base64, hashlib, sys, zipfile
path, name, version, code = sys.argv[1:]
info = name + "-" + version + ".dist-info/"
files = {
    name + ".py": code,
    info + "METADATA": "Metadata-Version: 2.1\\nName: " + name + "\\nVersion: " + version + "\\n",
    info + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
record = info + "RECORD"
files[record] = "".join(
    file + ",sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    + "," + str(len(text)) + "\\n" for file, text in files.items()) + record + ",,\\n"
with zipfile.ZipFile(path, "w") as wheel:
    for file, text in files.items():
        wheel.writestr(zipfile.ZipInfo(file), text)
`;

/** The wheels of the guide's house, in place of those that a reader has. */
const WHEELS: Readonly<Record<string, string>> = {
  "1.0": "def trim(text):\n    return text.rstrip()\n",
  "1.1": "def trim(text):\n    return text.strip()\n",
};

/**
 * Writes the wheels that the guide installs.
 *
 * @param directory Where the guide's commands run
 */
export async function writeWheels(directory: string): Promise<void> {
  Deno.mkdirSync(`${directory}/wheels`);
  for (const [version, code] of Object.entries(WHEELS)) {
    const path = `${directory}/wheels/acme_trim-${version}-py3-none-any.whl`;
    const args = ["-c", WHEEL, path, "acme_trim", version, code];
    const { success, stderr } = await new Deno.Command("python3", { args }).output();
    if (!success) throw new Error(decode(stderr));
  }
}

/** A page of the guide. */
export interface GuidePage {
  /** Where it is. */
  readonly path: string;
  /** Puts into its directory what readers have of their own. */
  readonly prepare: (directory: string) => Promise<void> | void;
  /** Puts the commands that the page uses into a directory. */
  readonly install: (bin: string) => void;
}

function locatePage(name: string): string {
  return fromFileUrl(new URL(`../docs/${name}`, import.meta.url));
}

/** The pages whose every command is run. */
export const GUIDE_PAGES: readonly GuidePage[] = [
  {
    path: locatePage("guide.md"),
    prepare: writeWheels,
    install: (bin) => installKprov(bin, "ALLOW"),
  },
  { path: locatePage("pipeline.md"), prepare: () => {}, install: installBoth },
];

/** The picture of the pipeline as the second page leaves it in its middle. */
export const PIPELINE_PICTURE: string = locatePage("pipeline.svg");

/** A command of a page, run. */
export interface RunGuideStep extends GuideStep {
  /** What it printed. */
  readonly found: string;
  /** Where it ran, with everything that it left there. */
  readonly directory: string;
}

/** Runs the commands of a page of the guide, one after the other. */
export async function* runGuide(
  { path, prepare, install }: GuidePage,
): AsyncGenerator<RunGuideStep> {
  const { files, steps } = parseGuide(Deno.readTextFileSync(path));
  using tree = makeTree(files);
  await prepare(tree.path);
  using bin = makeTree();
  install(bin.path);
  for (const step of steps) {
    const found = await runGuideStep(step.command, tree.path, bin.path);
    yield { ...step, found, directory: tree.path };
  }
}
