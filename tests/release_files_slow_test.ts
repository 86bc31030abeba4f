import { renderManPage } from "../.github/release/man_page.ts";
import { readLicences, renderSbom } from "../.github/release/sbom.ts";
import config from "../deno.json" with { type: "json" };
import { loadCommand } from "../src/commands/command.ts";
import { COMMANDS } from "../src/commands/main.ts";
import { SHIPPED_LOCKFILE } from "../src/commands/write_run.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "./assert.ts";
import { installPythonTools, succeeds } from "./python_tools.ts";
import { decode } from "./run_kprov.ts";
import { makeTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

const VERSIONS = { deno: "2.9.6", v8: "15.0.1" };

/** The CycloneDX project's own reader, with its own schemas. */
const VALIDATOR = "cyclonedx-python-lib[json-validation]==11.12.0";

const CHECK = `
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(0 if fault is None else str(fault))
`;

const tools = await installPythonTools(VALIDATOR);
globalThis.addEventListener("unload", () => tools?.[Symbol.dispose]());
const noTools = tools === null ? `${VALIDATOR} is missing here` : null;
const noMandoc = await succeeds("which", ["mandoc"]) ? null : "mandoc is missing here";

/** What the validator says of a document; empty where it is valid. */
async function validate(text: string): Promise<string> {
  const child = new Deno.Command(`${tools?.bin}/python`, {
    args: ["-c", CHECK],
    stdin: "piped",
    stderr: "piped",
    stdout: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stderr } = await child.output();
  return success ? "" : decode(stderr);
}

Deno.test(...unless(noTools, "the bill of materials is valid CycloneDX 1.6"), async () => {
  const text = renderSbom(SHIPPED_LOCKFILE, await readLicences(), VERSIONS);
  assertEquals(await validate(text), "");
  // The validator does find a fault.
  assert(await validate(text.replace('"SHA-512"', '"SHA-511"')) !== "");
});

Deno.test("the bill of materials holds every locked package with its digest, and Deno", async () => {
  const text = renderSbom(SHIPPED_LOCKFILE, await readLicences(), VERSIONS);
  const { components, dependencies, metadata } = JSON.parse(text);
  const locked: Readonly<Record<string, { readonly integrity: string }>> =
    JSON.parse(SHIPPED_LOCKFILE).npm;
  assertEquals(
    components.map(({ name, version }: Record<string, string>) => `${name}@${version}`).toSorted(),
    ["deno@2.9.6", "v8@15.0.1", ...Object.keys(locked)].toSorted(),
  );
  const [zod] = components.filter(({ name }: { name: string }) => name === "zod");
  const digest = Object.entries(locked).find(([id]) => id.startsWith("zod@"))?.[1].integrity;
  const hex = Uint8Array.from(atob(digest?.slice(7) ?? ""), (byte) => byte.charCodeAt(0)).toHex();
  assertEquals(zod.hashes, [{ alg: "SHA-512", content: hex }]);
  assertEquals(metadata.component.version, config.version);
  // Everything hangs together, from kprov down.
  const reached = new Set<string>([metadata.component["bom-ref"]]);
  for (const ref of reached) {
    const { dependsOn = [] } = dependencies.find((one: { ref: string }) => one.ref === ref) ?? {};
    dependsOn.forEach((needed: string) => reached.add(needed));
  }
  assertEquals(reached.size, components.length + 1);
});

Deno.test("a bill of materials that would leave a licence or a digest out is refused", () => {
  assertThrows(() => renderSbom(SHIPPED_LOCKFILE, new Map(), VERSIONS), Error, "licence");
  const lock = JSON.stringify({ version: "5", npm: { "a@1.0.0": { integrity: "sha1-abc=" } } });
  assertThrows(() => renderSbom(lock, new Map([["a@1.0.0", "MIT"]]), VERSIONS), Error, "SHA-512");
});

Deno.test(...unless(noMandoc, "the manual page has nothing that mandoc warns of"), async () => {
  using tree = makeTree({ "kprov.1": await renderManPage("2026-02-15") });
  const { success, stdout, stderr } = await new Deno.Command("mandoc", {
    args: ["-T", "lint", "-W", "style", tree.at("kprov.1")],
  }).output();
  assertEquals([decode(stdout), decode(stderr)], ["", ""]);
  assert(success);
});

Deno.test(
  ...unless(noMandoc, "the manual page says of every command what its help says"),
  async () => {
    using tree = makeTree({ "kprov.1": await renderManPage("2026-02-15") });
    const { stdout } = await new Deno.Command("mandoc", {
      args: ["-T", "ascii", "-O", "width=300", tree.at("kprov.1")],
    }).output();
    // A character that is overstruck stands before each that is shown in bold or underlined.
    // deno-lint-ignore no-control-regex
    const page = decode(stdout).replace(/.\x08/g, "").replace(/\s+/g, " ");
    assertStringIncludes(page, "February 15, 2026");
    for (const entry of COMMANDS) {
      const { name, summary, description, flags, examples, exitCodes } = await loadCommand(entry);
      assertStringIncludes(page, ` kprov ${name} `);
      const texts = [summary, ...description, ...flags.map((flag) => flag.summary)]
        .concat(flags.map((flag) => `--${flag.name}`), examples.flat())
        .concat(exitCodes.map(([code, meaning]) => `${code} ${meaning}`));
      for (const text of texts) assertStringIncludes(page, text.replace(/\s+/g, " "));
    }
  },
);

Deno.test("a manual page without a date is refused", async () => {
  for (const date of ["", "2026-13-01", "today"]) {
    await assertRejects(() => renderManPage(date), Error, "is no date");
  }
});
