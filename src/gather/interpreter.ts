import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";
import { readHead } from "../system/read_file.ts";

/** As much of a `#!` line as Linux reads (BINPRM_BUF_SIZE); other systems read no less. */
const LONGEST_LINE = 255;

/** How a program's file is executed. */
export type ProgramForm =
  | { readonly form: "binary" }
  /** Its `#!` line names another program; `searched` is what that, being env, looks for in PATH. */
  | { readonly form: "script"; readonly interpreter: string; readonly searched: string | null }
  /** A script, but the program that reads it cannot be told. */
  | { readonly form: "unclear" }
  /** Nothing that a system starts by itself; some C libraries would hand it to a shell. */
  | { readonly form: "unknown" };

/** The first bytes of ELF, of Mach-O in both byte orders and widths, of its fat form, and of PE. */
const MAGIC_NUMBERS: readonly (readonly number[])[] = [
  [0x7f, 0x45, 0x4c, 0x46],
  [0xfe, 0xed, 0xfa, 0xce],
  [0xfe, 0xed, 0xfa, 0xcf],
  [0xce, 0xfa, 0xed, 0xfe],
  [0xcf, 0xfa, 0xed, 0xfe],
  [0xca, 0xfe, 0xba, 0xbe],
  [0x4d, 0x5a],
];

/**
 * Tells from the first bytes of a program what executes it.
 *
 * @param head The first 256 bytes, or all where there are fewer
 */
export function parseProgramForm(head: Uint8Array): ProgramForm {
  if (MAGIC_NUMBERS.some((magic) => magic.every((byte, i) => head[i] === byte))) {
    return { form: "binary" };
  }
  if (head[0] !== 0x23 || head[1] !== 0x21) return { form: "unknown" };
  const end = head.indexOf(0x0a);
  if (end > LONGEST_LINE || (end < 0 && head.length > LONGEST_LINE)) return { form: "unclear" };
  const line = new TextDecoder().decode(head.subarray(2, end < 0 ? head.length : end));
  return parseScriptLine(line);
}

/** What follows `#!`: a path, and after blanks one argument that may hold blanks itself. */
function parseScriptLine(line: string): ProgramForm {
  const match = /^[ \t]*([^ \t]+)(?:[ \t]+(.*?))?[ \t]*$/s.exec(line);
  const interpreter = match?.[1];
  if (interpreter === undefined || /[\uFFFD\0\r]/.test(line)) return { form: "unclear" };
  if (!/(^|\/)env$/.test(interpreter)) return { form: "script", interpreter, searched: null };
  const searched = parseEnvArgument(match?.[2] ?? "");
  return searched === null ? { form: "unclear" } : { form: "script", interpreter, searched };
}

/** The program that env is told to start; null where that takes more than plain words to tell. */
function parseEnvArgument(argument: string): string | null {
  const isSplit = /^(-S|--split-string=?)/.test(argument);
  const words = isSplit
    ? argument.replace(/^(-S|--split-string=?)/, "").split(/[ \t]+/).filter((word) => word !== "")
    : [argument];
  const word = words.find((candidate) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(candidate));
  const isPlain = word !== undefined && /^[A-Za-z0-9_./+][A-Za-z0-9_./+-]*$/.test(word);
  return isPlain ? word : null;
}

/**
 * Reads from a program's file what executes it.
 *
 * @param path Where it is
 * @param name What it is called, for the message
 * @throws {KprovError} `io` or `permission` where it cannot be read, `data` where it is no regular file
 * or changes meanwhile
 */
export function gatherProgramForm(path: string, name: string): ProgramForm {
  try {
    return parseProgramForm(readHead(path, LONGEST_LINE + 1));
  } catch (error) {
    if (error instanceof KprovError) {
      throw new KprovError("data", `Cannot read tool ${quote(name)}: ${error.message}`);
    }
    throw toKprovError(error, `Cannot read tool ${quote(name)}`, {
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}
