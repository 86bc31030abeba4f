/** Content that no file system stores more cheaply than any other. */
const BLOCK = new Uint8Array(2 ** 20).map((_, i) => (i * 31) % 256);

/** The bytes of a small file. */
export const SMALL_BYTES = 1000;

/** What the identity guard looks for; none of it is in the source files. */
export const TOKENS: readonly string[] = ["acme/DEMO", "acme/Demo-Fork"];

const POLICY = {
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "kprov-demo",
    display_name: "KProv Demo",
    repository: "https://github.com/acme-corp/kprov-demo",
    forbidden_tokens: TOKENS,
  },
};

/** What the programs work on, in one directory, made when it is first asked for. */
export class Inputs {
  readonly #made = new Map<string, Promise<string>>();

  /** @param path The directory */
  constructor(readonly path: string) {}

  /** A file of 1 GiB. */
  largeFile(name: string): Promise<string> {
    return this.#make(name, (path) => {
      using file = Deno.openSync(path, { write: true, create: true });
      for (let i = 0; i < 1024; i++) writeAll(file, BLOCK);
      return Promise.resolve();
    });
  }

  /** A directory of small files, a thousand to a directory. */
  smallFiles(count: number): Promise<string> {
    return this.#make(`small-${count}`, (path) => {
      for (let i = 0; i < count; i++) {
        const directory = `${path}/${Math.floor(i / 1000)}`;
        if (i % 1000 === 0) Deno.mkdirSync(directory, { recursive: true });
        const content = BLOCK.subarray(i % 999_983, i % 999_983 + SMALL_BYTES);
        Deno.writeFileSync(`${directory}/${i}.bin`, content);
      }
      return Promise.resolve();
    });
  }

  /** One directory of small files; gives its name. */
  async oneDirectory(count: number): Promise<string> {
    return await this.#makeNamed(`flat-${count}`, (path) => {
      Deno.mkdirSync(path);
      const content = BLOCK.subarray(0, SMALL_BYTES);
      for (let i = 0; i < count; i++) Deno.writeFileSync(`${path}/${i}.bin`, content);
    });
  }

  /** A directory of files whose names are 200 times the same letter, and a number; gives its name. */
  async longNames(count: number): Promise<string> {
    return await this.#makeNamed(`long-${count}`, (path) => {
      Deno.mkdirSync(path);
      for (let i = 0; i < count; i++) Deno.writeTextFileSync(`${path}/${"a".repeat(200)}${i}`, "");
    });
  }

  /** Directories, each in the other, and a file in the last one; gives the name of the first. */
  async nested(levels: number): Promise<string> {
    return await this.#makeNamed(`nested-${levels}`, (path) => {
      const inner = `${path}${"/d".repeat(levels - 1)}`;
      Deno.mkdirSync(inner, { recursive: true });
      Deno.writeTextFileSync(`${inner}/f`, "");
    });
  }

  /** A project whose deno.lock pins packages; gives its name. */
  async packages(count: number): Promise<string> {
    return await this.#makeNamed(`packages-${count}`, (path) => {
      Deno.mkdirSync(path);
      const integrity = `sha512-${"A".repeat(86)}==`;
      const npm = Object.fromEntries(
        Array.from({ length: count }, (_, i) => [`package-${i}@1.${i}.0`, { integrity }]),
      );
      Deno.writeTextFileSync(`${path}/deno.lock`, JSON.stringify({ version: "5", npm }));
      Deno.writeTextFileSync(`${path}/main.ts`, "");
    });
  }

  /** A directory of C files with a Makefile that compiles each of them, and keeps nothing. */
  sources(count: number): Promise<string> {
    return this.#make(`sources-${count}`, (path) => {
      Deno.mkdirSync(path, { recursive: true });
      const names = Array.from({ length: count }, (_, i) => `f${i}`);
      const rule = `.PHONY: ${names.join(" ")}\n${names.join(" ")}: %: %.c\n` +
        "\tgcc -c -o /dev/null $<\n";
      Deno.writeTextFileSync(`${path}/Makefile`, `all: ${names.join(" ")}\n${rule}`);
      for (const name of names) {
        const text = `#include <stdio.h>\nvoid ${name}(void) { puts("${name}"); }\n`;
        Deno.writeTextFileSync(`${path}/${name}.c`, text);
      }
      return Promise.resolve();
    });
  }

  /** A repository of small source files, five hundred to a directory. */
  repository(count: number): Promise<string> {
    return this.#make(`repository-${count}`, (path) => makeRepository(path, count));
  }

  /** A repository of large source files, of 4 GB. */
  largeRepository(): Promise<string> {
    return this.#make("repository-large", (path) => makeLargeRepository(path));
  }

  /** A repository with a file of one letter, and a list of tokens that almost match everywhere. */
  overlapRepository(): Promise<string> {
    return this.#make("repository-overlap", (path) => makeOverlapRepository(path));
  }

  /** A key pair for in-toto. */
  key(): Promise<string> {
    return this.#make("key", (path) => run("in-toto-keygen", [path], this.path));
  }

  /** A program that does nothing. */
  emptyProgram(): Promise<string> {
    return this.#make("empty.ts", (path) => Deno.writeTextFile(path, ""));
  }

  /** A directory without anything in it yet. */
  freshDirectory(): string {
    return Deno.makeTempDirSync({ dir: this.path });
  }

  async #makeNamed(name: string, build: (path: string) => void): Promise<string> {
    await this.#make(name, (path) => Promise.resolve(build(path)));
    return name;
  }

  #make(name: string, build: (path: string) => Promise<void>): Promise<string> {
    const path = `${this.path}/${name}`;
    const made = this.#made.get(name) ?? build(path).then(() => path);
    this.#made.set(name, made);
    return made;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}

const LINE = "export const value = await read(input, { limit: 10, order: compare });\n";

async function makeRepository(path: string, count: number): Promise<void> {
  writePolicy(path, POLICY);
  for (let i = 0; i < count; i++) {
    const directory = `${path}/src/${Math.floor(i / 500)}`;
    if (i % 500 === 0) Deno.mkdirSync(directory, { recursive: true });
    Deno.writeTextFileSync(`${directory}/file_${i}.ts`, `// ${i}\n${LINE.repeat(50)}`);
  }
  await track(path);
}

/** So many that the start of Deno and of kprov does not count. */
const LARGE_FILES = 2000;
const LARGE_LINES = 28_000;

async function makeLargeRepository(path: string): Promise<void> {
  writePolicy(path, POLICY);
  for (let i = 0; i < LARGE_FILES; i++) {
    const lines = `// ${i} of https://github.com/acme-corp/other\n${LINE.repeat(LARGE_LINES)}`;
    Deno.writeTextFileSync(`${path}/file_${i}.ts`, lines);
  }
  await track(path);
}

/** Where the overlapping repository has a policy with one token. */
export const ONE_TOKEN = "one_token.json";

const OVERLAPPING = 3000;

async function makeOverlapRepository(path: string): Promise<void> {
  const tokens = Array.from({ length: OVERLAPPING }, (_, i) => `${"a".repeat(i + 1)}b`);
  const code = "identity.forbidden_token";
  const allowances = [{ code, path: "docs/governance/policy.json", reason: "the list itself" }];
  writePolicy(path, { ...POLICY, identity: { forbidden_tokens: tokens }, allowances });
  Deno.writeTextFileSync(`${path}/letters`, "a".repeat(3_000_000));
  await track(path);
  // Not tracked.
  const one = { ...POLICY, identity: { forbidden_tokens: tokens.slice(-1) } };
  Deno.writeTextFileSync(`${path}/${ONE_TOKEN}`, JSON.stringify(one));
}

function writePolicy(path: string, policy: typeof POLICY | Record<string, unknown>): void {
  Deno.mkdirSync(`${path}/docs/governance`, { recursive: true });
  Deno.writeTextFileSync(`${path}/docs/governance/policy.json`, JSON.stringify(policy));
}

async function track(path: string): Promise<void> {
  await run("git", ["init", "--quiet"], path);
  await run("git", ["add", "."], path);
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr)}`);
}
