import { compareEnvironments, type RecordedRuntime, sha256Hex } from "../../mod.ts";
import { compareRuntime, compareTools } from "../../src/evidence/diff.ts";
import { assertEquals } from "../assert.ts";
import { makeLineage, type SampleRun } from "./sample_lineage.ts";

const PYTHON = sha256Hex("python");

function describePython(packages: Readonly<Record<string, string>> | null): RecordedRuntime {
  return {
    name: "python",
    version: "3.12.1",
    implementation: "cpython",
    sha256: PYTHON,
    packages: packages && Object.entries(packages).map(([name, version]) => ({ name, version })),
  };
}

/** A run that used a Python by some name, with what was installed for it. */
function on(packages: Readonly<Record<string, string>> | null, tool = "python3"): SampleRun {
  const tools = [{ name: tool, sha256: PYTHON }];
  return { record: { toolchain: { tools, runtimes: [describePython(packages)] } } };
}

/** What changed since each of some runs, as `kind:name`. */
function compare(runs: readonly SampleRun[]): string[] {
  const lineage = makeLineage(runs);
  const changedSince = compareEnvironments(lineage);
  return runs.map((_, run) =>
    changedSince(run).map(({ kind, name }) => `${kind}:${name}`).join(" ")
  );
}

Deno.test("compareEnvironments() names the packages that newer runs found otherwise", () => {
  assertEquals(compare([on({ a: "1", b: "1", c: "1" }), on({ a: "2", b: "1", d: "1" })]), [
    "package:a package:c package:d",
    "",
  ]);
  assertEquals(compare([on({ a: "1" }), on({ a: "1" })]), ["", ""]);
});

Deno.test("compareEnvironments() goes by the newest run, whatever lies between", () => {
  assertEquals(compare([on({ a: "1" }), on({ a: "2" }), on({ a: "3" })]), [
    "package:a",
    "package:a",
    "",
  ]);
});

Deno.test("compareEnvironments() takes environments that are found in turn for standing side by side", () => {
  const [one, other] = [on({ a: "1" }), on({ a: "2" })];
  assertEquals(compare([one, other, one]), ["", "", ""]);
  assertEquals(
    compare([one, other, one, other]),
    ["", "", "", ""].map((_, i) => i === 0 ? "package:a" : ""),
  );
});

Deno.test("compareEnvironments() keeps programs of different names apart", () => {
  assertEquals(compare([on({ a: "1" }, "./one/bin/python"), on({ a: "2" }, "./two/bin/python")]), [
    "",
    "",
  ]);
});

Deno.test("compareEnvironments() knows a runtime by its own tools, and behind a shim by all", () => {
  const [shim, sort] = [sha256Hex("shim"), sha256Hex("sort")];
  const run = (version: string, ...tools: readonly (readonly [string, string])[]): SampleRun => ({
    record: {
      toolchain: {
        tools: tools.map(([name, sha256]) => ({ name, sha256 })),
        runtimes: [describePython({ a: version })],
      },
    },
  });
  const changed = ["package:a", ""];
  const python = ["python3", PYTHON] as const;
  assertEquals(
    compare([run("1", python, ["sort", sort]), run("2", python, ["awk", sort])]),
    changed,
  );
  assertEquals(compare([run("1", ["python3", shim]), run("2", ["python3", shim])]), changed);
  assertEquals(compare([run("1", ["one", shim]), run("2", ["two", shim])]), ["", ""]);
});

Deno.test("compareEnvironments() does not take packages that were not told for packages that are gone", () => {
  assertEquals(compare([on({ a: "1" }), on(null)]), ["", ""]);
  assertEquals(compare([on(null), on({ a: "1" })]), ["", ""]);
});

Deno.test("compareEnvironments() names tools and runtimes too", () => {
  const sort = (content: string): SampleRun => ({
    record: { toolchain: { tools: [{ name: "sort", sha256: sha256Hex(content) }] } },
  });
  assertEquals(compare([sort("1"), sort("2")]), ["tool:sort", ""]);
  const newer = { ...describePython({}), version: "3.13.0" };
  const tools = [{ name: "python3", sha256: PYTHON }];
  const upgraded = { record: { toolchain: { tools, runtimes: [newer] } } };
  assertEquals(compare([on({}), upgraded]), ["runtime:python", ""]);
  const sha256 = sha256Hex("other");
  const other = { ...describePython({}), sha256 };
  const replaced = { tools: [{ name: "python3", sha256 }], runtimes: [other] };
  assertEquals(compare([on({}), { record: { toolchain: replaced } }]), ["runtime:python", ""]);
});

Deno.test("compareRuntime() tells what is there otherwise, only then and only now", () => {
  const changes = compareRuntime(
    describePython({ a: "1", b: "1" }),
    describePython({ a: "2", c: "1" }),
  );
  assertEquals(changes.map(({ kind, name }) => `${kind}:${name}`), [
    "package:a",
    "package:b",
    "package:c",
  ]);
});

Deno.test("compareTools() names a tool that is a runtime as one", () => {
  const [old, now, sort] = [sha256Hex("old"), sha256Hex("now"), sha256Hex("sort")];
  const recorded = {
    tools: [{ name: "python3", sha256: old }, { name: "sort", sha256: sort }],
    runtimes: [{
      name: "python",
      version: "3.12.1",
      implementation: "cpython",
      sha256: old,
      packages: [],
    }],
  };
  const compare = (...found: readonly (readonly [name: string, sha256: string])[]): string[] =>
    compareTools(recorded, found.map(([name, sha256]) => ({ name, sha256 })))
      .map(({ kind, name }) => `${kind}:${name}`);
  assertEquals(compare(["python3", old], ["sort", sort]), []);
  assertEquals(compare(["python3", now], ["sort", sort]), ["runtime:python"]);
  assertEquals(compare(["python3", old], ["sort", now]), ["tool:sort"]);
  assertEquals(compare(["python3", old]), ["tool:sort"]);
  assertEquals(compare(["python3", old], ["sort", sort], ["env", now]), ["tool:env"]);
});
