import { writeAndSync } from "../../src/io/run_directory.ts";
import { assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";

Deno.test("writeAndSync() goes on where the system took only a part, or a signal interrupted it", () => {
  using tree = makeTree();
  const text = "zeichen für zeichen\n".repeat(10);
  {
    using file = Deno.openSync(tree.at("a.txt"), { write: true, createNew: true });
    const original = file.writeSync.bind(file);
    let calls = 0;
    file.writeSync = (bytes): number => {
      if (++calls % 3 === 0) throw new Deno.errors.Interrupted("Interrupted system call");
      return original(bytes.subarray(0, 7));
    };
    writeAndSync(file, text);
  }
  assertEquals(Deno.readTextFileSync(tree.at("a.txt")), text);
});
