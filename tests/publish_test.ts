import { isDenoInRange } from "../src/base/semver.ts";
import { assert, assertStringIncludes } from "./assert.ts";
import { fromFileUrl } from "./paths.ts";
import { decode } from "./run_kprov.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url));

Deno.test({
  name: "the publish dry run passes, without slow types, and publishes what users need only",
  // Deno 2.8 runs text imports, but publishes none.
  ignore: !isDenoInRange(Deno.version.deno, ">=2.9.0"),
  fn: async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["publish", "--dry-run", "--allow-dirty"],
      cwd: TOP,
      env: { NO_COLOR: "1" },
    }).output();
    const text = decode(stdout) + decode(stderr);
    assert(success, text);
    assertStringIncludes(text, "/mod.ts");
    assertStringIncludes(text, "/deno.lock");
    assert(!/\/(tests|docs|\.github|\.ci)\//.test(text), text);
  },
});
