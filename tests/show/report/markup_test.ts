import fc from "fast-check";
import { embedSource, joinHtml, markup } from "../../../src/show/report/html.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { ANY_TEXT } from "./any_text.ts";

Deno.test("markup`` escapes text for content and for attributes, and leaves markup as it is", () => {
  const text = `<b a="1" b='2'>&amp;`;
  assertEquals(
    String(markup`<p title="${text}">${text}${markup`<br>`}${3}</p>`),
    `<p title="&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;">` +
      `&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;<br>3</p>`,
  );
});

Deno.test("markup`` shows what a reader could overlook escaped", () => {
  assertEquals(String(markup`${"a\u202eb\nc\0d\ud800"}`), "a\\u202eb\\u000ac\\u0000d\\ud800");
});

Deno.test("markup`` drops the indentation of the template, but not of values", () => {
  assertEquals(
    String(markup`
      <pre>
        ${markup`a\n${"   b"}`}</pre>
    `),
    "<pre>\na\n   b</pre>\n",
  );
});

Deno.test("no text leaves the place that a template puts it in", () => {
  fc.assert(fc.property(ANY_TEXT, (text) => {
    const [start, end] = ['<p title="', '"></p>'];
    const page = String(markup`<p title="${text}"></p>`);
    const value = page.slice(start.length, -end.length);
    return page.startsWith(start) && page.endsWith(end) &&
      !/["'<>]|[\p{Cc}\p{Cf}\p{Cs}]/u.test(value);
  }));
});

Deno.test("joinHtml() puts markup after markup", () => {
  assertEquals(String(joinHtml([markup`<a>`, markup`${"<"}`], "|")), "<a>|&lt;");
});

Deno.test("embedSource() refuses a source that would end its element", () => {
  assertEquals(String(embedSource("a < b && c")), "a < b && c");
  for (const text of ["'</script>'", "/* </style> */", "<!-- x"]) {
    assertThrows(() => embedSource(text), Error, "it holds the end of its own element");
  }
});
