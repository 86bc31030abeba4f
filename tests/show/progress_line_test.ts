import type { WorkDone } from "../../src/base/progress.ts";
import { renderProgress, showProgress, type WorkRate } from "../../src/show/text.ts";
import { assert, assertEquals } from "../assert.ts";

const WORK: WorkDone = {
  files: 1200,
  totalFiles: 5000,
  bytes: 1.2e9,
  totalBytes: null,
  isMoreAhead: false,
};
const RATE: WorkRate = { files: 100, bytes: 8.5e8 };

const LINES: readonly (readonly [string, Partial<WorkDone>, Partial<WorkRate>, string])[] = [
  ["the rest by files", {}, {}, "1200 of 5000 files, 1.2 GB, 850 MB/s, 0:38 left"],
  [
    "the rest by bytes, where all are known",
    { totalBytes: 1e12 },
    {},
    "1200 of 5000 files, 1.2 GB of 1 TB, 850 MB/s, 19:36 left",
  ],
  [
    "hours",
    { totalBytes: 1e13 },
    {},
    "1200 of 5000 files, 1.2 GB of 10 TB, 850 MB/s, 3:16:04 left",
  ],
  [
    "no rest, where large files are to come",
    { isMoreAhead: true },
    {},
    "1200 of 5000 files, 1.2 GB, 850 MB/s",
  ],
  ["no rest, where nothing moves", {}, { files: 0, bytes: 0 }, "1200 of 5000 files, 1.2 GB, 0 B/s"],
  [
    "one file",
    { files: 0, totalFiles: 1, bytes: 0, totalBytes: 10 },
    { bytes: 1 },
    "0 of 1 file, 0 B of 10 B, 1 B/s, 0:10 left",
  ],
];

for (const [what, work, rate, line] of LINES) {
  Deno.test(`renderProgress() tells ${what}`, () => {
    assertEquals(renderProgress({ ...WORK, ...work }, { ...RATE, ...rate }, 79), line);
  });
}

Deno.test("renderProgress() never takes more than its room, and drops the last part first", () => {
  const whole = renderProgress(WORK, RATE, 79);
  for (let width = 0; width < 79; width++) {
    const line = renderProgress(WORK, RATE, width);
    assert(line.length <= width && whole.startsWith(line), line);
  }
  assertEquals(renderProgress(WORK, RATE, 40), "1200 of 5000 files, 1.2 GB, 850 MB/s");
  const huge = { ...WORK, files: 999_999_999, totalFiles: 1e9, bytes: 1e18, totalBytes: 2e18 };
  assert(renderProgress(huge, RATE, 60).endsWith("MB/s"));
});

/** A terminal without a clock: what is written on it, and when. */
function makeTerminal(): { at: number; text: string; width: number } {
  return { at: 1000, text: "", width: 80 };
}

function show(
  terminal: { at: number; text: string; width: number },
): ReturnType<typeof showProgress> {
  return showProgress({
    write: (text) => terminal.text += text,
    now: () => terminal.at,
    width: terminal.width,
  });
}

Deno.test("showProgress() writes nothing in the first half second, and for nothing so short", () => {
  const terminal = makeTerminal();
  const progress = show(terminal);
  for (; terminal.at < 1500; terminal.at += 10) progress.tick(() => WORK);
  progress.end();
  assertEquals(terminal.text, "");
});

Deno.test("showProgress() draws one line again and again in its place, and erases it", () => {
  const terminal = makeTerminal();
  const progress = show(terminal);
  progress.tick(() => ({ ...WORK, files: 0, bytes: 0 }));
  let asked = 0;
  for (terminal.at = 1500; terminal.at < 1720; terminal.at += 10) {
    progress.tick(() => {
      asked++;
      return { ...WORK, files: terminal.at - 1000, bytes: 1e6 * (terminal.at - 1000) };
    });
  }
  progress.end();
  assertEquals(terminal.text.split("\r"), [
    "",
    "500 of 5000 files, 500 MB, 1 GB/s, 0:05 left\x1b[K",
    "600 of 5000 files, 600 MB, 1 GB/s, 0:05 left\x1b[K",
    "700 of 5000 files, 700 MB, 1 GB/s, 0:05 left\x1b[K",
    "\x1b[K",
  ]);
  assertEquals(asked, 3);
});

Deno.test("showProgress() tells the rate of the last seconds, and begins anew with other work", () => {
  const terminal = makeTerminal();
  const progress = show(terminal);
  const draw = (at: number, bytes: number): string => {
    terminal.at = at;
    terminal.text = "";
    progress.tick(() => ({ ...WORK, bytes }));
    return /[0-9.]+ .?B\/s/.exec(terminal.text)?.[0] ?? "";
  };
  draw(0, 0);
  for (let at = 1000; at <= 10_000; at += 1000) draw(at, at * 1000);
  for (let at = 11_000; at < 14_000; at += 1000) draw(at, 10_000_000 + (at - 10_000) * 9000);
  assertEquals(draw(14_000, 46_000_000), "9 MB/s");
  progress.end();
  assertEquals(draw(20_000, 0), "");
  assertEquals(draw(21_000, 5000), "5 kB/s");
});
