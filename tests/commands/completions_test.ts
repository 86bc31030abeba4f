import { COMMANDS } from "../../src/commands/command_table.ts";
import { GUARDS } from "../../src/commands/guard.ts";
import { SCHEMA_NAMES } from "../../src/commands/schema.ts";
import { assert, assertEquals } from "../assert.ts";
import { decode, runKprov } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

/** Completes the last word of a line in a shell; the words that it offers. */
type Complete = (tree: TemporaryTree, line: string) => Promise<readonly string[]>;

const FIRST = "2026-02-15T20-13-00Z";
const SECOND = "2026-02-16T20-13-00Z";
const FORMATS = ["json", "text"];

/** Lines with what must be offered for them, whatever the shell; an empty line offers nothing. */
const CASES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["kprov gu", ["guard"]],
  ["kprov guard ", GUARDS.map(({ name }) => name)],
  ["kprov guard identity art", ["artifacts"]],
  ["kprov guard --format sa", ["sarif"]],
  ["kprov guard --base", ["--base-lock"]],
  ["kprov schema ", SCHEMA_NAMES],
  ["kprov completions ", ["bash", "zsh", "fish"]],
  ["kprov verify --format ", FORMATS],
  ["kprov inp", ["input file.txt"]],
  ["kprov run --out runs inp", ["input file.txt"]],
  ["kprov verify runs/", [`runs/${FIRST}`, `runs/${SECOND}`]],
  [`kprov diff runs/${FIRST} runs/2026-02-16`, [`runs/${SECOND}`]],
  ["kprov guard --root ru", ["runs"]],
  ["kprov guard --root inp", []],
  ["kprov guard --policy inp", ["input file.txt"]],
  ["kprov review --note inp", []],
  ["kprov toolchain a", []],
];

function makeRuns(): TemporaryTree {
  return makeTree({
    "input file.txt": "",
    [`runs/${FIRST}/provenance.json`]: "",
    [`runs/${SECOND}/provenance.json`]: "",
    // What an interrupted run or a person leaves is no run.
    "runs/notes/a.txt": "",
  });
}

async function isInstalled(shell: string): Promise<boolean> {
  try {
    return (await new Deno.Command(shell, { args: ["-c", "exit"] }).output()).success;
  } catch {
    return false;
  }
}

async function runShell(
  tree: TemporaryTree,
  shell: string,
  args: readonly string[],
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(shell, {
    args: [...args],
    cwd: tree.path,
    env: { HOME: tree.path, TERM: "dumb" },
    stdin: "null",
  }).output();
  assertEquals([code, decode(stderr)], [0, ""]);
  return decode(stdout);
}

/** Lines, without the descriptions after a tab, the slash that ends a directory, and quoting. */
function toWords(text: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return [...new Set(lines.map((line) => line.replace(/\t.*$/, "").replace(/\/$|\\(?= )/g, "")))]
    .sort();
}

const COMPLETE: Readonly<Record<string, Complete>> = {
  bash: async (tree, line) => {
    const script = 'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kprov; ' +
      'printf "%s\\n" "${COMPREPLY[@]}"';
    const args = ["--norc", "-c", script, "bash", ...line.split(" ")];
    return toWords(await runShell(tree, "bash", args));
  },
  fish: async (tree, line) => {
    const script = `source ./script; complete -C '${line}'`;
    return toWords(await runShell(tree, "fish", ["--no-config", "-c", script]));
  },
  // A zsh on a terminal of its own, whose compadd tells what matches.
  zsh: async (tree, line) => {
    const setup = [
      "PS1= ; autoload -U compinit; compinit -u -D; source ./script",
      'compadd() { if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi',
      'local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >>./hits; builtin compadd "$@" }',
      "finish() { : >./done }; zle -N finish; bindkey '^I' complete-word; bindkey '^X' finish; : >./ready",
    ];
    Deno.writeTextFileSync(tree.at("setup"), setup.join("\n"));
    const script = [
      "zmodload zsh/zpty; rm -f hits done ready; : >hits; zpty inner zsh -f -i; zpty -w inner 'source ./setup'",
      "wait_for() { for i in {1..200}; do [[ -e $1 ]] && return; zpty -r -t inner x; sleep 0.05; done; exit 9 }",
      "wait_for ready; sleep 0.1; zpty -w -n inner \"$1\"$'\\t\\x18'; wait_for done; zpty -d inner; cat hits",
    ];
    return toWords(await runShell(tree, "zsh", ["-f", "-c", script.join("\n"), "zsh", line]));
  },
};

for (const [shell, complete] of Object.entries(COMPLETE)) {
  const installed = await isInstalled(shell);
  Deno.test({
    name: `${shell} completes commands, flags, values, guards, schemas and runs` +
      (installed ? "" : ` (${shell} is not installed)`),
    ignore: !installed,
    fn: async () => {
      using tree = makeRuns();
      const { code, stdout } = await runKprov(["completions", shell], {
        cwd: tree.path,
        permissions: [],
      });
      assertEquals(code, 0);
      Deno.writeTextFileSync(tree.at("script"), stdout);
      for (const [line, offered] of CASES) {
        assertEquals(await complete(tree, line), [...offered].sort(), line);
      }
      const first = await complete(tree, "kprov ");
      for (const { name } of COMMANDS) assert(first.includes(name), name);
      const flags = await complete(tree, "kprov --");
      for (const flag of ["--out", "--exclude", "--help", "--version"]) {
        assert(flags.includes(flag), flag);
      }
    },
  });
}

Deno.test("every command's words can stand in a shell's single quotes", async () => {
  for (const { load } of COMMANDS) {
    const { name, flags, operands } = await load();
    const words = flags.flatMap((flag) => [flag.name, ...flag.choices ?? []]);
    for (const word of [name, ...words, ...operands ?? []]) {
      assert(/^[a-z][a-z0-9_-]*$/.test(word), word);
    }
  }
});
