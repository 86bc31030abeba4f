import fc from "fast-check";
import { type Finding, makeFinding } from "../../../src/base/error.ts";
import type { ReportedRun } from "../../../src/show/report/verdict.ts";
import { renderRunReport } from "../../../src/show/report/run_page.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../../assert.ts";
import { testdata } from "../../paths.ts";
import {
  digestOf,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
  SAMPLE_FAILED_FACTS,
} from "../../sample_facts.ts";
import { ANY_TEXT } from "./any_text.ts";
import { type PageElement, parsePage } from "./parse_page.ts";
import { decide, GOLDEN_RUN, makeReportedRun } from "./sample_runs.ts";

function render(run: ReportedRun): string {
  return renderRunReport(run, "1.0.0");
}

/** What of a page could run or load something. */
function findActive(elements: readonly PageElement[]): string[] {
  const active = ["iframe", "object", "embed", "form", "base", "link", "img", "use", "image", "a"];
  return elements.flatMap(({ name, attributes }) => [
    ...[...attributes].filter(([key]) => /^on|^style$|^src|^xlink|^action$/.test(key)).map((
      [key],
    ) => key),
    ...(active.includes(name) && !attributes.get("href")?.startsWith("#") ? [name] : []),
  ]);
}

async function digestOfText(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

Deno.test("the page of a run is the same to the byte as the golden one", () => {
  const golden = Deno.readTextFileSync(testdata("report.html"));
  assertEquals(render(GOLDEN_RUN), golden);
});

Deno.test("the page lets through its own two blocks by their digests, and nothing else", async () => {
  const elements = parsePage(render(GOLDEN_RUN));
  const [style, script] = ["style", "script"].map((name) =>
    elements.filter((e) => e.name === name)
  );
  assertEquals([style?.length, script?.length], [1, 1]);
  const policy = elements.find(({ attributes }) => attributes.has("http-equiv"))?.attributes
    .get("content")?.replaceAll("&#39;", "'");
  assertEquals(policy?.split("; "), [
    "default-src 'none'",
    `style-src 'sha256-${await digestOfText(style?.[0]?.source ?? "")}'`,
    `script-src 'sha256-${await digestOfText(script?.[0]?.source ?? "")}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  assertEquals(findActive(elements), []);
});

Deno.test("parsePage() and findActive() see what a page must not hold", () => {
  const page = (body: string): string => `<!DOCTYPE html>\n<html>${body}</html>`;
  for (const body of ["<p>", "</p>", "a < b", "<p a='1'></p>", "a & b", "\u202e", "<P></P>"]) {
    let message = "";
    try {
      parsePage(page(body));
    } catch (error) {
      message = String(error);
    }
    assert(message !== "", body);
  }
  for (
    const body of ['<p onclick="x"></p>', '<p style="x"></p>', '<a href="x:y">a</a>', "<link/>"]
  ) {
    assert(findActive(parsePage(page(body))).length > 0, body);
  }
});

/** Puts a text into every field of a document that holds a text. */
function fill<T>(value: T, text: string): T {
  if (typeof value === "string") return text as T;
  if (Array.isArray(value)) return value.map((item) => fill(item, text)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fill(item, text)]),
  ) as T;
}

Deno.test("no text in any field gets out of its place in the page", () => {
  const shape = parsePage(render(fillRun("x"))).map(({ name }) => name);
  const hostile = fc.oneof(
    ANY_TEXT,
    fc.constantFrom(
      "</script><script>alert(1)</script>",
      "</style><style>*{display:none}",
      "</title><img src=x onerror=alert(1)>",
      `" onmouseover="alert(1)`,
      "]]><!--",
      "\u202etxt.exe\u2066",
      "a\nb\r\tc\0",
    ),
  );
  fc.assert(
    fc.property(hostile, (text) => {
      const elements = parsePage(render(fillRun(text)));
      assertEquals(elements.map(({ name }) => name), shape);
      assertEquals(findActive(elements), []);
    }),
    { numRuns: 60 },
  );
});

/** Enumerations keep their words: the parsers let no other through. */
function fillRun(text: string): ReportedRun {
  const { documents } = GOLDEN_RUN;
  const [provenance, toolchain, summary, review] = [
    documents["provenance.json"],
    documents["toolchain.json"],
    documents["run_summary.json"],
    documents["human_review.json"],
  ];
  assert(provenance && toolchain && summary && review);
  const findings: Finding[] = [makeFinding(text, text, { path: text, hint: text, line: 3 })];
  return {
    ...GOLDEN_RUN,
    name: text,
    findings,
    digests: fill(GOLDEN_RUN.digests, text),
    documents: {
      "provenance.json": fill(provenance, text),
      "toolchain.json": fill(toolchain, text),
      "run_summary.json": {
        ...fill(summary, text),
        outcome: summary.outcome,
        permissions: summary.permissions,
      },
      "human_review.json": { ...fill(review, text), status: review.status },
    },
  };
}

Deno.test("headings are in order, ids are unique, and every reference leads to one", () => {
  const elements = parsePage(render(GOLDEN_RUN));
  const page = render(GOLDEN_RUN);
  const levels = [...page.matchAll(/<h([1-6])[ >]/g)].map(([, level]) => Number(level));
  assertEquals(levels[0], 1);
  for (const [i, level] of levels.entries()) assert(level <= (levels[i - 1] ?? 0) + 1, `${levels}`);
  assertEquals(levels.filter((level) => level === 1).length, 1);
  const ids = elements.flatMap(({ attributes }) => attributes.get("id") ?? []);
  assertEquals(new Set(ids).size, ids.length);
  const references = elements.flatMap(({ attributes }) => [
    ...(attributes.get("aria-labelledby")?.split(" ") ?? []),
    ...(attributes.get("for") === undefined ? [] : [attributes.get("for") ?? ""]),
    ...(attributes.get("href")?.slice(1).split(" ") ?? []),
  ]);
  assert(references.length > 20);
  assertEquals(references.filter((id) => !ids.includes(id)), []);
  for (const { name, attributes } of elements) if (name === "th") assert(attributes.has("scope"));
  for (const name of ["main", "header", "footer", "nav", "h1"]) {
    assertEquals(elements.filter((element) => element.name === name).length, 1, name);
  }
});

Deno.test("the page of a run that verifies says so before anything else, and shows what happened", () => {
  const page = render(GOLDEN_RUN);
  const headline =
    "<span>Verified</span> \u00b7 <span>failed with exit code 3</span> \u00b7 <span>approved</span>";
  const at = page.indexOf(`<div class="verdict bad">\n<p class="headline">${headline}</p>`);
  assert(at > 0 && at < page.indexOf('<section id="flow"'));
  for (
    const text of [
      "WHAT RAN, AND FAILED",
      "sh clean.sh data/in.csv",
      "command failed</strong> with exit code 3",
      digestOf("9"),
      "data/&quot;quoted&quot;\\u000a.csv",
      "APPROVED</strong> by Ada Lovelace",
      "REJECTED",
      "kprov verify runs/2026-02-15T20-13-00Z --root .",
      "kprov reproduce runs/2026-02-15T20-13-00Z --root .",
    ]
  ) assertStringIncludes(page, text);
});

Deno.test("a run without a command has no products and nothing to reproduce", () => {
  const page = render(makeReportedRun(SAMPLE_FACTS));
  assertStringIncludes(page, "None. The evidence vouches for the inputs as they were.");
  assertStringIncludes(page, "No command");
  assert(!page.includes("kprov reproduce"));
});

Deno.test("runtimes come before everything else of the toolchain, with their packages", () => {
  const page = render(makeReportedRun(SAMPLE_COMMAND_FACTS));
  const shown = [
    "Runtimes of the command",
    'python</th><td class="text">3.12.1',
    "Packages of the command",
    'pandas</th><td class="text">2.1.0',
    "edited in place",
    "Tools of the command",
    "Packages inside this kprov",
  ];
  assertEquals(shown.map((text) => page.indexOf(text)).filter((at) => at < 0), []);
  assert(page.indexOf("Runtimes of the command") < page.indexOf("Tools of the command"));
  assertStringIncludes(page, "left out");
});

Deno.test("what a failed command left is not shown as its products", () => {
  const page = render(makeReportedRun(SAMPLE_FAILED_FACTS));
  assertStringIncludes(page, "the evidence does not vouch for what it left of its products");
  assert(!render(makeReportedRun(SAMPLE_COMMAND_FACTS)).includes("does not vouch"));
});

Deno.test("a product is held against the input of its name", () => {
  const products = ["README.md", "data/\uFF5E.csv", "new.txt"].map((name, i) => (
    { name, kind: "file", size: 1, sha256: digestOf(["a", "b", "c"][i] ?? "") } as const
  ));
  const { command } = SAMPLE_COMMAND_FACTS;
  assert(command);
  const page = render(
    makeReportedRun({
      ...SAMPLE_FACTS,
      command: { ...command, productPaths: [".", "new.txt"], products },
    }),
  );
  assertMatch(page, /README.md<\/th><td class="text">unchanged input</);
  assertMatch(page, /\uFF5E.csv<\/th><td class="text">changed input</);
  assertMatch(page, /new.txt<\/th><td class="text">new</);
});

Deno.test("commands are quoted for a shell, whatever the run directory is called", () => {
  const page = render(makeReportedRun(SAMPLE_FACTS, "my run'; rm -rf $HOME\n"));
  assertStringIncludes(page, "kprov verify $&#39;runs/my run\\&#39;; rm -rf $HOME\\012&#39;");
});

Deno.test("the page of a run that does not verify shows what can be read, and says of the rest that it cannot", () => {
  const { documents, digests } = GOLDEN_RUN;
  const { "provenance.json": provenance } = documents;
  assert(provenance);
  const broken = {
    name: "2026-02-15T20-13-00Z",
    run: null,
    findings: [
      makeFinding("document.missing", "the run has no such document", { path: "toolchain.json" }),
    ],
    documents: { "provenance.json": provenance },
    digests,
  };
  const page = render(broken);
  parsePage(page);
  for (
    const text of [
      "<span>Does not verify</span> \u00b7 <span>1 finding</span>",
      "A document of the run is missing.",
      "not checked",
      "toolchain.json cannot be read",
      "run_summary.json cannot be read",
      "human_review.json cannot be read",
      "data/\uFF5E.csv",
    ]
  ) assertStringIncludes(page, text);
  assert(!page.includes("<span>Verified</span>"));
  const bare = render({ ...broken, documents: {}, digests: {} });
  parsePage(bare);
  assertStringIncludes(bare, "the documents that list them cannot be read");
});

Deno.test("no run wears green that did not complete, or that nobody approved", () => {
  const tone = (run: ReportedRun): string | undefined =>
    /<div class="verdict ([a-z]+)">/.exec(render(run))?.[1];
  const completed = makeReportedRun(SAMPLE_COMMAND_FACTS);
  assertEquals(tone(completed), "open");
  assertEquals(tone(decide(completed, { status: "APPROVED", day: 16 })), "good");
  assertEquals(tone(decide(completed, { status: "REJECTED", day: 16 })), "bad");
  const failed = makeReportedRun(SAMPLE_FAILED_FACTS);
  assertEquals(tone(failed), "bad");
  assertEquals(tone(decide(failed, { status: "APPROVED", day: 16 })), "bad");
});

Deno.test("the page of a run that waits for review says what to type", () => {
  const page = render(makeReportedRun(SAMPLE_COMMAND_FACTS));
  for (const decision of ["approve", "reject"]) {
    assertStringIncludes(
      page,
      `kprov review runs/2026-02-15T20-13-00Z --${decision} --reviewer &#39;YOUR NAME&#39;`,
    );
  }
  assert(!render(GOLDEN_RUN).includes("kprov review"));
});

Deno.test("repository, commit and state of the inputs stand in the head", () => {
  const head = /<header>([\s\S]*)<\/header>/.exec(render(GOLDEN_RUN))?.[1] ?? "";
  const commit = "0123456789".repeat(4);
  assertStringIncludes(
    head,
    `Source: https://example.org/a/b at commit\n<code>${commit}</code>, and the inputs are the same as in it`,
  );
});
