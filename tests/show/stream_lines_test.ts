import { streamLines } from "../../src/show/text.ts";
import { assert, assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function collect(lines: Iterable<string>): string[] {
  const pieces: string[] = [];
  streamLines(lines, (piece) => pieces.push(piece));
  return pieces;
}

Deno.test("streamLines() ends each line, and takes nothing where there are none", PURE, () => {
  assertEquals(collect([]), []);
  assertEquals(collect([""]), ["\n"]);
  assertEquals(collect(["a", "", "b"]), ["a\n\nb\n"]);
});

Deno.test("streamLines() hands many lines over in few pieces, before it asks for all", PURE, () => {
  let asked = 0;
  let askedAtFirstPiece = 0;
  const pieces: string[] = [];
  function* count(): Generator<string> {
    for (; asked < 10_000; asked++) yield String(asked);
  }
  streamLines(count(), (piece) => {
    askedAtFirstPiece ||= asked;
    pieces.push(piece);
  });
  assert(askedAtFirstPiece < 1000);
  assert(pieces.length > 10 && pieces.length < 100);
  assertEquals(pieces.join("").split("\n").length, 10_001);
});
