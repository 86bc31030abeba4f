/**
 * Draws docs/report.png anew, the page of a run as a browser shows it:
 * `deno run --allow-all tests/update_pictures.ts`. It takes python3 and Chromium.
 *
 * @module
 */

import { findBrowser } from "./browser.ts";
import { readExample } from "./examples.ts";
import { fromFileUrl } from "./paths.ts";
import { decode } from "./run_kprov.ts";
import { installBoth } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";

const PICTURE = fromFileUrl(new URL("../docs/report.png", import.meta.url));

/** Down to the digest of the evidence. */
const SIZE = "1000,590";

const LINES = `set -e
python3 -m venv .venv
kprov-run . --exclude-from .gitignore --products summary.csv --at 2026-02-15T20:13:00Z --quiet \\
  -- .venv/bin/python summarise.py
kprov review latest --approve --reviewer 'Ada Lovelace' --meaning approved --at 2026-02-16T09:00:00Z
kprov report latest --out report.html
`;

using tree = makeTree(readExample("python").files);
using bin = makeTree();
installBoth(bin.path);

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: tree.path,
    env: { PATH: `${bin.path}:/usr/bin:/bin` },
  }).output();
  if (!success) throw new Error(decode(stderr));
}

const browser = findBrowser();
if (browser === null) throw new Error("no Chromium is in PATH");
await run("sh", ["-c", LINES]);
await run(browser, [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
  ...[`--window-size=${SIZE}`, `--screenshot=${PICTURE}`, `file://${tree.at("report.html")}`],
]);
