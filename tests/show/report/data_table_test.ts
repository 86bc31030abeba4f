import { markup, MOST_ROWS, renderDataTable } from "../../../src/show/report/html.ts";
import { assertEquals, assertStringIncludes } from "../../assert.ts";

function render(count: number): string {
  return String(renderDataTable(Array.from({ length: count }, (_, i) => i), {
    id: "numbers",
    caption: "Numbers",
    columns: [{ title: "Name", kind: "name" }, { title: "Square", kind: "number" }],
    toCells: (i) => [`<${i}>`, markup`<b>${i * i}</b>`],
    whole: "numbers.json",
  }));
}

Deno.test("renderDataTable() names its rows and columns, and counts", () => {
  assertEquals(
    render(2),
    `<div class="table" id="numbers">
<div class="scroll" role="region" aria-labelledby="numbers-caption" tabindex="0">
<table>
<caption id="numbers-caption">Numbers <span class="muted">(2)</span></caption>
<thead><tr><th scope="col" class="name">Name</th><th scope="col" class="number">Square</th></tr></thead>
<tbody>
<tr><th scope="row" class="name">&lt;0&gt;</th><td class="number"><b>0</b></td></tr>
<tr><th scope="row" class="name">&lt;1&gt;</th><td class="number"><b>1</b></td></tr>
</tbody>
</table>
</div>
</div>
`,
  );
});

Deno.test("renderDataTable() shows as many rows as a browser bears, in parts, and the exact total", () => {
  const whole = render(MOST_ROWS);
  assertEquals(whole.includes('class="note"'), false);
  const cut = render(MOST_ROWS + 234);
  assertStringIncludes(cut, "The first 100,000 of 100,234 are shown; all are in\nnumbers.json.");
  assertStringIncludes(cut, 'Numbers <span class="muted">(100,234)</span>');
  assertStringIncludes(cut, "<caption>Numbers, from 99,501 on</caption>");
  assertEquals(cut.match(/<div class="part">/g)?.length, 200);
  assertEquals(cut.match(/<th scope="row"/g)?.length, MOST_ROWS);
});
