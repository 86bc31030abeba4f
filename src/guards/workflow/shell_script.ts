import { type ShellToken, tokenizeShell } from "./shell_tokens.ts";

/** One command of a script. */
export type ShellCommand =
  | { readonly kind: "simple"; readonly words: readonly string[] }
  /** `( … )` or `{ … }`. */
  | { readonly kind: "group"; readonly body: ShellScript }
  | {
    /** `if`, `while`, `until`, `for`, `select`, `case` or a function: what decides over its body. */
    readonly kind: "compound";
    readonly keyword: string;
    /** A function's name. */
    readonly name: string | null;
    readonly body: ShellScript;
  };

/** Commands joined by `|`. */
export interface ShellPipeline {
  readonly isNegated: boolean;
  readonly commands: readonly ShellCommand[];
}

/** Pipelines joined by `&&` and `||`. */
export interface ShellList {
  readonly pipelines: readonly ShellPipeline[];
  /** Between the pipelines, one less than these. */
  readonly operators: readonly string[];
  readonly isBackground: boolean;
}

/** A script: lists, one after the other. */
export type ShellScript = readonly ShellList[];

/** Deepest nesting. */
const MAX_DEPTH = 50;
/** What ends a compound command, by how it starts. */
const ENDS: Readonly<Record<string, string>> = {
  if: "fi",
  while: "done",
  until: "done",
  for: "done",
  select: "done",
  case: "esac",
};
const SEPARATING_WORDS = ["then", "elif", "else", "do"];
const TERMINATORS = ["fi", "done", "esac", "}", ...SEPARATING_WORDS];

/** Why a script is not read. */
class Refusal extends Error {}

interface Reader {
  readonly tokens: readonly ShellToken[];
  next: number;
  depth: number;
}

/**
 * Parses a script of a POSIX shell or bash, as far as its flow of control goes.
 *
 * @param text The script
 * @returns The script, or null where it cannot be read exactly
 */
export function parseShell(text: string): ShellScript | null {
  const tokens = tokenizeShell(text);
  if (tokens === null) return null;
  try {
    const reader = { tokens, next: 0, depth: 0 };
    const script = readScript(reader);
    return reader.next < tokens.length ? null : script;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return null;
  }
}

function operatorAt({ tokens, next }: Reader): string | null {
  const token = tokens[next];
  return token?.kind === "operator" ? token.text : null;
}

/** The word at the reader, where it may be a keyword. */
function keywordAt({ tokens, next }: Reader): string | null {
  const token = tokens[next];
  return token?.kind === "word" && !token.isQuoted ? token.text : null;
}

function skipSeparators(reader: Reader): void {
  while (["\n", ";"].includes(operatorAt(reader) ?? "")) reader.next++;
}

function isAtEnd(reader: Reader): boolean {
  if (reader.next >= reader.tokens.length) return true;
  const operator = operatorAt(reader);
  if (operator !== null) return operator === ")" || operator.startsWith(";;") || operator === ";&";
  return TERMINATORS.includes(keywordAt(reader) ?? "");
}

function readScript(reader: Reader): ShellList[] {
  if (++reader.depth > MAX_DEPTH) throw new Refusal();
  const lists: ShellList[] = [];
  for (skipSeparators(reader); !isAtEnd(reader); skipSeparators(reader)) {
    lists.push(readList(reader));
  }
  reader.depth--;
  return lists;
}

function readList(reader: Reader): ShellList {
  const pipelines = [readPipeline(reader)];
  const operators: string[] = [];
  for (;;) {
    const operator = operatorAt(reader);
    if (operator !== "&&" && operator !== "||") break;
    reader.next++;
    while (operatorAt(reader) === "\n") reader.next++;
    operators.push(operator);
    pipelines.push(readPipeline(reader));
  }
  const isBackground = operatorAt(reader) === "&";
  if (isBackground) reader.next++;
  return { pipelines, operators, isBackground };
}

function readPipeline(reader: Reader): ShellPipeline {
  let isNegated = false;
  while (keywordAt(reader) === "!") {
    isNegated = !isNegated;
    reader.next++;
  }
  const commands = [readCommand(reader)];
  while (["|", "|&"].includes(operatorAt(reader) ?? "")) {
    reader.next++;
    while (operatorAt(reader) === "\n") reader.next++;
    commands.push(readCommand(reader));
  }
  return { isNegated, commands };
}

function readCommand(reader: Reader): ShellCommand {
  if (operatorAt(reader) === "(") return readGroup(reader, () => expectOperator(reader, ")"));
  const keyword = keywordAt(reader);
  if (keyword === "{") return readGroup(reader, () => expectKeyword(reader, "}"));
  if (keyword === "function") return readFunction(reader, true);
  if (keyword === "case") return readCase(reader);
  if (keyword !== null && Object.hasOwn(ENDS, keyword)) return readCompound(reader, keyword);
  if (keyword === "[[") return readTest(reader);
  return readSimple(reader);
}

function expectOperator(reader: Reader, operator: string): void {
  if (operatorAt(reader) !== operator) throw new Refusal();
  reader.next++;
}

function expectKeyword(reader: Reader, keyword: string): void {
  if (keywordAt(reader) !== keyword) throw new Refusal();
  reader.next++;
}

function readGroup(reader: Reader, readEnd: () => void): ShellCommand {
  reader.next++;
  const body = readScript(reader);
  readEnd();
  return { kind: "group", body };
}

function readCompound(reader: Reader, keyword: string): ShellCommand {
  reader.next++;
  if (keyword === "for" || keyword === "select") skipTo(reader, "do");
  const body: ShellList[] = [];
  const end = ENDS[keyword];
  for (;;) {
    body.push(...readScript(reader));
    const found = keywordAt(reader);
    reader.next++;
    if (found === end) return { kind: "compound", keyword, name: null, body };
    if (found === null || !SEPARATING_WORDS.includes(found)) throw new Refusal();
  }
}

function skipTo(reader: Reader, keyword: string): void {
  while (keywordAt(reader) !== keyword) {
    if (reader.next >= reader.tokens.length) throw new Refusal();
    reader.next++;
  }
}

function readCase(reader: Reader): ShellCommand {
  skipTo(reader, "in");
  reader.next++;
  const body: ShellList[] = [];
  for (;;) {
    while (/^(?:\n|;.*)$/.test(operatorAt(reader) ?? "")) reader.next++;
    if (keywordAt(reader) === "esac") break;
    // The pattern: words joined by `|`, with or without a parenthesis before it.
    while (operatorAt(reader) !== ")") {
      if (reader.next >= reader.tokens.length) throw new Refusal();
      reader.next++;
    }
    reader.next++;
    body.push(...readScript(reader));
  }
  reader.next++;
  return { kind: "compound", keyword: "case", name: null, body };
}

/** `[[ … ]]` has operators of its own inside. */
function readTest(reader: Reader): ShellCommand {
  skipTo(reader, "]]");
  reader.next++;
  return { kind: "simple", words: ["[["] };
}

function readFunction(reader: Reader, hasKeyword: boolean): ShellCommand {
  if (hasKeyword) reader.next++;
  const token = reader.tokens[reader.next++];
  if (token?.kind !== "word") throw new Refusal();
  if (operatorAt(reader) === "(") {
    reader.next++;
    expectOperator(reader, ")");
  }
  while (operatorAt(reader) === "\n") reader.next++;
  if (++reader.depth > MAX_DEPTH) throw new Refusal();
  const command = readCommand(reader);
  reader.depth--;
  const pipeline = { isNegated: false, commands: [command] };
  const body = [{ pipelines: [pipeline], operators: [], isBackground: false }];
  return { kind: "compound", keyword: "function", name: token.text, body };
}

function readSimple(reader: Reader): ShellCommand {
  const words: string[] = [];
  for (let token = reader.tokens[reader.next]; token?.kind === "word";) {
    words.push(token.text);
    token = reader.tokens[++reader.next];
  }
  if (words.length === 0) throw new Refusal();
  if (words.length === 1 && operatorAt(reader) === "(") {
    reader.next--;
    return readFunction(reader, false);
  }
  return { kind: "simple", words };
}
