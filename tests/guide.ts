import { decode } from "./run_kprov.ts";

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

/** The output without what differs from machine to machine. */
export function maskDigests(output: string): string {
  return output.replace(/[0-9a-f]{64}/g, "<sha256>");
}
