import { KprovError } from "../../../src/base/error.ts";
import { readObjectFormat } from "../../../src/io/git/object_store.ts";
import { assertEquals, assertThrows } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const VERSION_1 = "[core]\n\trepositoryformatversion = 1\n";

const GOOD: readonly (readonly [config: string, format: string])[] = [
  ["", "sha1"],
  ["[core]\n\trepositoryformatversion = 0\n", "sha1"],
  [VERSION_1, "sha1"],
  [`${VERSION_1}[extensions]\n\tobjectFormat = sha256\n`, "sha256"],
  [`${VERSION_1}[Extensions] OBJECTFORMAT="sha256" # comment\n`, "sha256"],
  [`${VERSION_1}[extensions]\n\tworktreeConfig = true\n\tobjectformat = sha1\n`, "sha1"],
  [`${VERSION_1}[extensions "x"]\n\tobjectformat = sha256\n`, "sha1"],
  [`${VERSION_1}[other]\n\tobjectformat = sha256\n`, "sha1"],
  [`${VERSION_1}[extensions]\nobjectformat = sha1\nobjectformat = sha256\n`, "sha256"],
];

for (const [config, format] of GOOD) {
  Deno.test(`readObjectFormat() finds ${format} in ${JSON.stringify(config)}`, PURE, () => {
    assertEquals(readObjectFormat(config), format);
  });
}

const BAD: readonly (readonly [config: string, reason: string])[] = [
  ["[core]\nrepositoryformatversion = 2\n", 'format version "2" is not known'],
  ["[core]\nrepositoryformatversion\n", 'format version "true" is not known'],
  ["[extensions]\nobjectFormat = sha256\n", "in format version 0"],
  [`${VERSION_1}[extensions]\nobjectFormat = sha512\n`, 'object format "sha512" is not known'],
];

for (const [config, reason] of BAD) {
  Deno.test(`readObjectFormat() refuses ${JSON.stringify(config)}`, PURE, () => {
    assertEquals(assertThrows(() => readObjectFormat(config), KprovError, reason).code, "data");
  });
}
