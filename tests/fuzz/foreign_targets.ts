/**
 * What is fuzzed of the files that other tools wrote: declarations of versions, scripts, expressions,
 * ranges, globs, traces, lockfiles, records of packages, answers of runtimes, and git's own files.
 *
 * @module
 */

import {
  compileGlobs,
  compileIgnoreList,
  parseIgnoreLine,
  parseIgnorePattern,
} from "../../src/base/glob.ts";
import { makeInstalledReader } from "../../src/commands/status.ts";
import { parseLockfile } from "../../src/evidence/toolchain.ts";
import { parseExpression, readCondition, type Scope } from "../../src/guards/actions/expression.ts";
import { containsStatement, formScript, listCommands } from "../../src/guards/actions/steps.ts";
import { known, makeObject, UNKNOWN } from "../../src/guards/actions/value.ts";
import { parseYamlFile } from "../../src/guards/actions/yaml.ts";
import { canonicalCommand, isChecker } from "../../src/guards/parity/commands.ts";
import { isGateScript, parseGate } from "../../src/guards/parity/gate.ts";
import { parsePolicy } from "../../src/guards/policy.ts";
import { claimVersion, parsePolicyRange, RUNTIMES } from "../../src/guards/runtime/declaration.ts";
import { readInstallCommands } from "../../src/guards/runtime/install_command.ts";
import { claimCondaSpec, parsePoetryRange } from "../../src/guards/runtime/python_manifests.ts";
import { RUNTIME } from "../../src/guards/runtime/runtime.ts";
import { parsePep440Range, parsePythonVersion } from "../../src/guards/runtime/version_range.ts";
import { parseFileList } from "../../src/io/git/index_file.ts";
import { parseCommitTree, parseTree, readObjectFormat } from "../../src/io/git/object_store.ts";
import { findRemoteUrl, toRecordedUrl } from "../../src/io/git/source.ts";
import { gatherNodePackages } from "../../src/io/runtimes/lockfiles.ts";
import { RUNTIME_READERS } from "../../src/io/runtimes/readers.ts";
import { parseProgramForm } from "../../src/io/tools.ts";
import { FileReplay } from "../../src/io/trace/file_history.ts";
import { LineSplitter, TraceReader } from "../../src/io/trace/strace_log.ts";
import { join } from "../io/git/build_index.ts";
import { testdata } from "../paths.ts";
import { makeTree } from "../temporary_tree.ts";
import {
  ANSWERS,
  DECLARATION_WORDS,
  DECLARATIONS,
  EXPRESSION_WORDS,
  EXPRESSIONS,
  GIT_CONFIG,
  LOCKFILES,
  RECORD,
  SCRIPT,
  SHELL_WORDS,
} from "./foreign_seeds.ts";
import { JSON_WORDS, POLICY } from "./seeds.ts";
import { decode, encode, expect, type FuzzTarget, makeFacts } from "./target.ts";

const RUNTIME_POLICY = parsePolicy(POLICY, "the policy");

/** An input is a path and a content; a path that no reader takes is another's, by the length. */
function guardDeclaration(input: Uint8Array): void {
  const end = input.indexOf(0);
  const bytes = input.subarray(end + 1);
  const paths = Object.keys(DECLARATIONS);
  const named = paths.find((path) => path === decode(input.subarray(0, Math.max(0, end))));
  const path = named ?? paths[input.length % paths.length] ?? "";
  const content = { ok: true, bytes } as const;
  const yaml = new Map(/\.ya?ml$/.test(path) ? [[path, parseYamlFile(content, path)]] : []);
  RUNTIME.check(makeFacts(path, bytes, { yaml }), RUNTIME_POLICY);
}

function readScript(input: Uint8Array): void {
  const text = decode(input);
  for (const { words } of listCommands(text)) {
    canonicalCommand(words);
    isChecker(words, { added: [["make", "check"]], allowed: new Set() });
  }
  readInstallCommands(text, () => "3.12");
  containsStatement(text, formScript("make check"));
  isGateScript(text, parseGate("make check"));
  isGateScript("make check", parseGate(text));
}

const SCOPE: Scope = {
  path: "ci.yml",
  contexts: new Map([
    ["github", UNKNOWN],
    ["matrix", makeObject([["deno", known("2.9.6")], ["n", known(1.5)], ["none", known(null)]])],
  ]),
};

function readExpression(input: Uint8Array): void {
  const source = decode(input);
  parseExpression(source);
  for (const value of [source, `\${{ ${source} }}`, `a \${{ ${source} }} b`]) {
    const position = { line: 1, column: 1 };
    readCondition({ kind: "scalar", value, source: value, position }, SCOPE, true);
  }
}

function readVersions(input: Uint8Array): void {
  const text = decode(input);
  for (const runtime of RUNTIMES) {
    claimVersion(runtime, text);
    parsePolicyRange(runtime, text);
  }
  parsePep440Range(text);
  parsePythonVersion(text);
  parsePoetryRange(text);
  claimCondaSpec(text);
}

function matchGlobs(input: Uint8Array): void {
  const globs = decode(input).split("\n").slice(0, 8);
  const patterns = globs.map(parseIgnoreLine).filter((line) => line !== null);
  expect(["policy"], () => void compileGlobs(globs, "/governs")("src/a/b.ts"));
  expect(["policy"], () => void compileIgnoreList(patterns.map(parseIgnorePattern)));
}

function replayTrace(input: Uint8Array): void {
  const replay = new FileReplay({ pid: 1, directory: "/tmp/w", resolveLinks: (path) => path });
  const splitter = new LineSplitter();
  const reader = new TraceReader();
  for (const line of splitter.take(input)) {
    const event = reader.read(line);
    if (event !== null) replay.take(event);
  }
  replay.finish();
}

function readLockfiles(bytes: Uint8Array): void {
  for (const path of Object.keys(LOCKFILES).filter((name) => name !== "deno.lock")) {
    using tree = makeTree({ [path]: bytes });
    gatherNodePackages([], tree.path);
  }
  expect(["data"], () => void parseLockfile(decode(bytes)));
}

function readRecord(bytes: Uint8Array): void {
  const place = "lib/python3.12/site-packages/a-1.0.dist-info";
  using tree = makeTree({
    "pyvenv.cfg": "include-system-site-packages = false\n",
    [`${place}/METADATA`]: bytes,
    [`${place}/RECORD`]: bytes,
    [`${place}/direct_url.json`]: bytes,
  });
  const path = tree.at("bin/python3");
  const python = { name: "python3", sha256: "", path, real: path, isScript: false };
  const tool = { ...python, args: null, env: {} };
  const recorded = { name: "python", sha256: "", version: "3", implementation: null, packages: [] };
  makeInstalledReader({ path: tree.path, given: tree.path })(recorded, [tool]);
}

function hearAnswers(input: Uint8Array): void {
  const text = decode(input);
  const call = { args: [], root: "/", wantsPackages: false };
  for (const { read } of RUNTIME_READERS) read({ stdout: text, stderr: text }, call);
}

function readGit(input: Uint8Array): void {
  const text = decode(input);
  expect(["data"], () => void readObjectFormat(text));
  findRemoteUrl(text, "origin");
  toRecordedUrl(text);
  expect(["data"], () => void parseCommitTree(input));
  expect(["data"], () => void parseTree(input, "sha1"));
  expect(["data"], () => void parseFileList(input));
}

const ID = new Uint8Array(20);
const TREE = join([encode("100644 a\0"), ID, encode("40000 b\0"), ID]);

const TRACES = ["killed", "python", "shell", "thread_exec"];
const TRACE_WORDS = [
  ...["\n", "<unfinished ...>", "<... openat resumed>", " = -1 ENOENT (No such file)", "execve("],
  ...["+++ exited with 0 +++", "AT_FDCWD<", ">(deleted)", "\\x2e\\x2e", '"', "1 ", "clone("],
];

/** The end of a trace: whole traces take a hundred times as long. */
function cutTrace(name: string): Uint8Array {
  return Deno.readFileSync(testdata(`strace/${name}.trace`)).slice(-4000);
}

/** What is fuzzed of other tools' files. */
export const FOREIGN_TARGETS: readonly FuzzTarget[] = [
  {
    name: "declarations",
    seeds: Object.entries(DECLARATIONS).map(([path, text]) => encode(`${path}\0${text}`)),
    words: DECLARATION_WORDS,
    run: guardDeclaration,
  },
  { name: "shell", seeds: [encode(SCRIPT)], words: SHELL_WORDS, run: readScript },
  {
    name: "expression",
    seeds: EXPRESSIONS.map(encode),
    words: EXPRESSION_WORDS,
    run: readExpression,
  },
  {
    name: "versions",
    seeds: [">=3.11,<3.13", "^20 || 22.x - 24", "~=3.11.1,!=3.12.*", "a::python=3.12=*_cpython"]
      .map(encode),
    words: DECLARATION_WORDS,
    run: readVersions,
  },
  {
    name: "globs",
    seeds: ["src/**/*.{ts,js}\n[!a-z]?\\*", "!/a/**\n# c\nb/ \n*.[[:alpha:]]"].map(encode),
    words: [
      "**",
      "*",
      "?",
      "[",
      "]",
      "{",
      "}",
      ",",
      "!",
      "/",
      "\\",
      "[[:alpha:]]",
      "a-",
      "..",
      " ",
    ],
    run: matchGlobs,
  },
  { name: "trace", seeds: TRACES.map(cutTrace), words: TRACE_WORDS, run: replayTrace },
  {
    name: "lockfiles",
    seeds: Object.values(LOCKFILES).map(encode),
    words: [...JSON_WORDS, "version", "integrity", "  ", "\n\n", "@", "node_modules/"],
    run: readLockfiles,
  },
  {
    name: "record",
    seeds: [RECORD, "Name: A_b\nVersion: 1.0\n\nbody", '{"url": "https://x.example/a"}'].map(
      encode,
    ),
    words: [",", '"', '""', "\r\n", "../", "\\", "Name: ", "dist-info/RECORD", ".pyc", "dir_info"],
    run: readRecord,
  },
  {
    name: "answers",
    seeds: ANSWERS.map(encode),
    words: [...JSON_WORDS, "\nkprov:", "go1.", "java.version = "],
    run: hearAnswers,
  },
  {
    name: "git",
    seeds: [encode(GIT_CONFIG), TREE, encode(`tree ${"0".repeat(40)}\nauthor a`), encode("a\0b\0")],
    words: [
      "[",
      "]",
      '"',
      "\\",
      "=",
      "\n",
      ";",
      "#",
      "\0",
      "100644 ",
      "git@",
      "https://",
      "%",
      "@",
    ],
    run: readGit,
  },
  {
    name: "program",
    seeds: ["#!/usr/bin/env -S python3 -u\n", "#! /bin/sh -e\n"].map(encode),
    words: ["#!", "\n", "\r", "\0", "env ", "-S", "/usr/bin/env", "A=b ", "'", "\\"],
    run: (input: Uint8Array) => void parseProgramForm(input),
  },
].map((target) => ({ ...target, refusals: [] }));
