import { loadCommand } from "../../src/commands/command.ts";
import { GUARDS } from "../../src/commands/guard.ts";
import { COMMANDS } from "../../src/commands/main.ts";
import { SCHEMA_NAMES } from "../../src/commands/schema.ts";
import { assert, assertEquals } from "../assert.ts";
import { decode, runKprov } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

/** Completes the last word of each line in a shell; the words that it offers for each. */
type Complete = (
  tree: TemporaryTree,
  lines: readonly string[],
) => Promise<readonly (readonly string[])[]>;

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
  ["kprov record ", ["finish", "start"]],
  ["kprov record start inp", ["input file.txt"]],
  ["kprov record finish --form", ["--format"]],
  ["kprov inp", ["input file.txt"]],
  // What stands behind -- is completed as if it stood by itself.
  ["kprov run a -- basena", ["basename"]],
  ["kprov a --out runs -- tac inp", ["input file.txt"]],
  ["kprov toolchain -- basena", ["basename"]],
  ["kprov run --out runs inp", ["input file.txt"]],
  ["kprov verify runs/", [`runs/${FIRST}`, `runs/${SECOND}`]],
  [`kprov diff runs/${FIRST} runs/2026-02-16`, [`runs/${SECOND}`]],
  ["kprov run -o ru", ["runs"]],
  ["kprov report -o inp", ["input file.txt"]],
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

async function isInstalled(program: string, args = ["-c", "exit"]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args }).output()).success;
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
  assertEquals([decode(stderr), code, code === 0 ? "" : decode(stdout)], ["", 0, ""]);
  return decode(stdout);
}

/** Lines, without the descriptions after a tab, the slash that ends a directory, and quoting. */
function toWords(text: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return [...new Set(lines.map((line) => line.replace(/\t.*$/, "").replace(/\/$|\\(?= )/g, "")))]
    .sort();
}

/** Parts a shell's output, in which a NUL ends what it offers for a line. */
function toOffers(text: string): string[][] {
  return text.split("\0").slice(0, -1).map(toWords);
}

const COMPLETE: Readonly<Record<string, Complete>> = {
  bash: async (tree, lines) => {
    const script =
      'source ./script; for line in "$@"; do IFS=" " read -ra COMP_WORDS <<< "$line|"; ' +
      "last=$((${#COMP_WORDS[@]} - 1)); COMP_WORDS[last]=${COMP_WORDS[last]%|}; COMP_CWORD=$last; " +
      'COMPREPLY=(); _kprov; printf "%s\\n" "${COMPREPLY[@]}"; printf "\\0"; done';
    return toOffers(await runShell(tree, "bash", ["--norc", "-c", script, "bash", ...lines]));
  },
  fish: async (tree, lines) => {
    const script = "source ./script; for line in $argv; complete -C $line; printf '\\0'; end";
    return toOffers(await runShell(tree, "fish", ["--no-config", "-c", script, ...lines]));
  },
  // A zsh on a terminal of its own, whose compadd tells what matches.
  zsh: async (tree, lines) => {
    const setup = [
      "PS1= ; autoload -U compinit; compinit -u -D; source ./script",
      'compadd() { if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi',
      'local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >>./hits; builtin compadd "$@" }',
      "finish() { BUFFER=; : >./done }; zle -N finish; bindkey '^I' complete-word; bindkey '^G' finish",
      ": >./ready",
    ];
    Deno.writeTextFileSync(tree.at("setup"), setup.join("\n"));
    const script = [
      "zmodload zsh/zpty; zpty inner zsh -f -i; zpty -w inner 'source ./setup'",
      "wait_for() { for i in {1..500}; do [[ -e $1 ]] && return; zpty -r -t inner x; sleep 0.02; done; exit 9 }",
      "wait_for ready; sleep 0.1",
      'for line in "$@"; do rm -f done; : >hits; zpty -w -n inner "$line"$\'\\t\\x07\'; wait_for done',
      "cat hits; printf '\\0'; done; zpty -d inner",
    ];
    return toOffers(await runShell(tree, "zsh", ["-f", "-c", script.join("\n"), "zsh", ...lines]));
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
      const lines = CASES.map(([line]) => line);
      const [first = [], flags = [], ...found] = await complete(tree, [
        "kprov ",
        "kprov --",
        ...lines,
      ]);
      assertEquals(found.length, CASES.length);
      for (const [i, [line, offered]] of CASES.entries()) {
        assertEquals(found[i], [...offered].sort(), line);
      }
      for (const { name } of COMMANDS) assert(first.includes(name), name);
      for (const flag of ["--out", "--exclude", "--help", "--version"]) {
        assert(flags.includes(flag), flag);
      }
    },
  });
}

/** What finds mistakes in a script without running it. */
const CHECKERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  bash: ["shellcheck", "--norc", "--shell=bash"],
  zsh: ["zsh", "-n"],
  fish: ["fish", "--no-config", "-n"],
};

for (const [shell, [checker, ...args]] of Object.entries(CHECKERS)) {
  const installed = await isInstalled(checker, args.includes("--norc") ? ["--version"] : undefined);
  Deno.test({
    name:
      `${checker} finds no fault in the completions of ${shell}, with and without the commands` +
      (installed ? "" : ` (${checker} is missing)`),
    ignore: !installed,
    fn: async () => {
      using tree = makeTree({});
      const source = new URL(`../../src/commands/completions/kprov.${shell}`, import.meta.url);
      Deno.copyFileSync(source, tree.at("before"));
      const { stdout } = await runKprov(["completions", shell], {
        cwd: tree.path,
        permissions: [],
      });
      Deno.writeTextFileSync(tree.at("after"), stdout);
      assert(!stdout.includes("@table") && stdout.includes("preflight"));
      for (const script of ["before", "after"]) {
        assertEquals(await runShell(tree, checker, [...args, script]), "");
      }
    },
  });
}

Deno.test("every command takes --format json and --quiet, and a letter means the same everywhere", async () => {
  const letters = new Map<string, string>();
  for (const entry of COMMANDS) {
    const { name, flags } = await loadCommand(entry);
    const find = (wanted: string) => flags.find((flag) => flag.name === wanted);
    assert(find("format")?.choices?.includes("json"), name);
    assert(find("quiet")?.short === "q", name);
    for (const flag of flags.filter(({ short }) => short !== undefined)) {
      assertEquals(letters.get(flag.short ?? "") ?? flag.name, flag.name, name);
      letters.set(flag.short ?? "", flag.name);
    }
  }
  assertEquals(Object.fromEntries(letters), { o: "out", q: "quiet", n: "dry-run" });
});

Deno.test("every command's words can stand in a shell's single quotes", async () => {
  for (const entry of COMMANDS) {
    const { name, flags, operands, forms } = await loadCommand(entry);
    const words = flags.flatMap((flag) => [flag.name, ...flag.choices ?? []]);
    for (const word of [name, ...words, ...operands ?? [], ...forms ?? []]) {
      assert(/^[a-z][a-z0-9_-]*$/.test(word), word);
    }
  }
});
