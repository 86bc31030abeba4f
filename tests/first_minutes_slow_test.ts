import { assertEquals, assertStringIncludes } from "./assert.ts";
import { parseGuide } from "./guide.ts";
import { succeeds } from "./python_tools.ts";
import { README } from "./readme.ts";
import { decode } from "./run_kprov.ts";
import { installBoth } from "./run_script.ts";
import { listNames, makeTree, type TemporaryTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

const noTmux = await succeeds("tmux", ["-V"]) ? null : "tmux is missing here";

/** What the person types, and what must then stand on the screen. */
const SESSION: readonly (readonly [typed: string, shown: readonly string[]])[] = [
  ["kprov --help", ["record files and directories", "kprov COMMAND --help"]],
  ["QUICK START", ["Products 1 file, 14 B", "Next     kprov verify runs/"]],
  ["kprov verify latest --root .", ["completed, not reviewed", "1 of 1 run verified"]],
  ["echo 3,Mallory >> clean.csv && kprov verify latest --root .", ["clean.csv: file.changed"]],
  ["kprov-run reproduce latest", ["Reproducible", "1 product is the same to the byte"]],
  ["kprov review latest --approve --reviewer 'Ada Lovelace'", ["APPROVED", "by Ada Lovelace"]],
  ["kprov report latest --out report.html", ["Verdict   ok, 1 run verified"]],
  ["kprov log", ["completed", "approved"]],
];

/** A terminal of 100 columns with a plain shell in it. */
class Terminal implements AsyncDisposable {
  readonly #socket: string;

  constructor(tree: TemporaryTree) {
    this.#socket = tree.at("tmux");
  }

  async tmux(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-S", this.#socket, "-f", "/dev/null", ...args],
    }).output();
    assertEquals(code, 0, decode(stderr));
    return decode(stdout);
  }

  /** Types a line, waits for the prompt, and tells what came on the screen. */
  async enter(line: string): Promise<string> {
    await this.tmux("send-keys", "-R", ";", "clear-history");
    await this.tmux("send-keys", "-l", line);
    await this.tmux("send-keys", "Enter");
    for (let waited = 0; waited < 600; waited++) {
      const screen = await this.tmux("capture-pane", "-p", "-S", "-200");
      if (/\n% *\n*$/.test(screen)) return screen;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`no prompt after ${line}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux("kill-server");
  }
}

Deno.test(
  ...unless(
    noTmux,
    "the first minutes in a terminal, as the README tells them, show what a newcomer needs",
  ),
  async () => {
    const { files, steps } = parseGuide(Deno.readTextFileSync(README));
    const quickStart = steps[0]?.command ?? "";
    assertStringIncludes(quickStart, "kprov-run raw.csv");
    using tree = makeTree(Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`project/${name}`, text]),
    ));
    using bin = makeTree();
    installBoth(bin.path);
    await using terminal = new Terminal(bin);
    const shell = `env PATH='${bin.path}:/usr/bin:/bin' PS1='% ' TERM=screen sh`;
    await terminal.tmux(
      ...["new-session", "-d", "-x", "100", "-y", "40", "-c", tree.at("project"), shell],
    );
    for (const [typed, shown] of SESSION) {
      const screen = await terminal.enter(typed === "QUICK START" ? quickStart : typed);
      for (const text of shown) assertStringIncludes(screen, text);
    }
    assertEquals(listNames(tree.at("project")), ["clean.csv", "raw.csv", "report.html", "runs"]);
  },
);
