import { CHECKS, explainCode } from "../../../src/show/report/verdict.ts";
import { assert, assertEquals } from "../../assert.ts";
import { fromFileUrl } from "../../paths.ts";

Deno.test("every code of verify in docs/formats.md is explained, and belongs to one check", () => {
  const formats = Deno.readTextFileSync(
    fromFileUrl(new URL("../../../docs/formats.md", import.meta.url)),
  );
  const [, section = ""] = formats.split("## What verify checks");
  const [ofDocuments = ""] = section.split("With `--root`");
  const codes = [...ofDocuments.matchAll(/`([a-z]+\.[a-z_]+)`/g)].flatMap(([, code = ""]) => code)
    .filter((code) => !code.endsWith(".json"));
  assert(codes.length > 8, codes.join());
  const unknown = explainCode("no.such_code");
  for (const code of codes) {
    assert(explainCode(code) !== unknown, code);
    assertEquals(CHECKS.filter((check) => check.codes.includes(code)).length, 1, code);
  }
});
