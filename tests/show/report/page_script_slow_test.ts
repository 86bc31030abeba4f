import { renderRunReport } from "../../../src/show/report/run_page.ts";
import { assertEquals } from "../../assert.ts";
import type { BrowserPage } from "../../browser.ts";
import { inBrowser, openPage, readNames } from "./in_browser.ts";
import { reportFiles, reportManyFiles } from "./sample_runs.ts";

function render(names: readonly string[]): string {
  return renderRunReport(reportFiles(names), "1.0.0");
}

async function readStatus(page: BrowserPage): Promise<unknown> {
  return await page.evaluate("document.querySelector('#inputs-table [role=status]').textContent");
}

Deno.test(...inBrowser("a table sorts by keyboard, and says so to a screen reader"), async () => {
  await using page = await openPage(render(["b", "a", "c", "10", "9", "8", "7", "6"]));
  const recorded = await readNames(page);
  const read = async () => [
    await page.evaluate("document.querySelector('#inputs-table th.number').ariaSort"),
    await page.evaluate(
      "[...document.querySelectorAll('#inputs-table td.number')].map((c) => +c.textContent)",
    ),
  ];
  await page.evaluate("document.querySelector('#inputs-table th.text button').focus()");
  await page.press("Tab");
  assertEquals(await page.evaluate("document.activeElement.textContent"), "Bytes");
  const [, sizes] = await read() as [unknown, number[]];
  await page.press("Enter");
  assertEquals(await read(), ["ascending", sizes.toSorted((a, b) => a - b)]);
  await page.press(" ");
  assertEquals(await read(), ["descending", sizes.toSorted((a, b) => b - a)]);
  await page.press("Enter");
  assertEquals([await readNames(page), (await read())[0]], [recorded, null]);
  assertEquals(page.events, []);
});

Deno.test(...inBrowser("a table filters by keyboard, and tells how much is left"), async () => {
  await using page = await openPage(
    render(["one", "two", "three", "four", "five", "six", "seven", "eight"]),
  );
  assertEquals(await readStatus(page), "Showing 1 to 8 of 8");
  await page.evaluate("document.querySelector('#inputs-table input').focus()");
  await page.type("/T");
  assertEquals(await readNames(page), ["d/three", "d/two"]);
  assertEquals(await readStatus(page), "Showing 1 to 2 of 2 that match, from 8");
  await page.type("zz");
  assertEquals(await readStatus(page), "Showing none of 0 that match, from 8");
  await page.press("Escape");
  assertEquals(await readStatus(page), "Showing 1 to 8 of 8");
});

Deno.test(
  ...inBrowser("100,000 rows load, filter, sort and turn, two hundred at a time"),
  async () => {
    const html = renderRunReport(reportManyFiles(100_000), "1.0.0");
    await using page = await openPage(html);
    const count = "document.querySelectorAll('#inputs-table tbody tr').length";
    assertEquals([await page.evaluate(count), await readStatus(page)], [
      200,
      "Showing 1 to 200 of 100,000",
    ]);
    assertEquals(await page.evaluate("document.querySelectorAll('#inputs-table table').length"), 1);
    await page.evaluate("document.querySelector('#inputs-table .next').focus()");
    await page.press("Enter");
    assertEquals(await readStatus(page), "Showing 201 to 400 of 100,000");
    await page.evaluate("document.querySelector('#inputs-table input').focus()");
    await page.type("file-7777");
    assertEquals(await readStatus(page), "Showing 1 to 11 of 11 that match, from 100,000");
    await page.press("Escape");
    await page.evaluate("document.querySelector('#inputs-table th.number button').click()");
    assertEquals(
      await page.evaluate("document.querySelector('#inputs-table td.number').textContent"),
      "0",
    );
    assertEquals(page.events, []);
  },
);

Deno.test(
  ...inBrowser("without scripts the page reads whole, and shows no control that does nothing"),
  async () => {
    await using page = await openPage(render(Array.from({ length: 600 }, (_, i) => `${i}`)), {
      hasScripts: false,
    });
    assertEquals(
      await page.evaluate(
        "[...document.querySelectorAll('#inputs-table table')].map((t) => t.tBodies[0].rows.length)",
      ),
      [500, 100],
    );
    assertEquals(
      await page.evaluate(
        "[...document.querySelectorAll('button,input')].filter((e) => e.checkVisibility()).length",
      ),
      0,
    );
    assertEquals(
      await page.evaluate(
        "document.querySelector('#inputs-table tr:last-child').checkVisibility()",
      ),
      true,
    );
  },
);

Deno.test(...inBrowser("a printer gets every row of a table of thousands"), async () => {
  await using page = await openPage(render(Array.from({ length: 600 }, (_, i) => `${i}`)));
  const count = "document.querySelectorAll('#inputs-table tbody tr').length";
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  assertEquals(await page.evaluate(count), 600);
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  assertEquals(await page.evaluate(count), 200);
});
