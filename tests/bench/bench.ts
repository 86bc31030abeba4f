/**
 * Measures kprov against its peers, in turn and in one run (A B A B), and prints a table of medians
 * and ratios. A peer that is not installed is said to be missing. Nothing is asserted.
 *
 * @module
 */
import { CLI, WIDE } from "../run_kprov.ts";

const ROUNDS = 5;

interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

interface Bench {
  readonly name: string;
  readonly cwd: string;
  readonly contenders: readonly [Contender, ...Contender[]];
}

function kprov(...args: readonly string[]): Contender {
  return {
    name: "kprov",
    command: Deno.execPath(),
    args: ["run", "--quiet", ...WIDE, CLI, ...args],
  };
}

async function time({ command, args }: Contender, cwd: string): Promise<number> {
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(command, { args: [...args], cwd }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return performance.now() - start;
}

async function isInstalled({ command }: Contender): Promise<boolean> {
  try {
    await new Deno.Command(command, { args: ["--version"] }).output();
    return true;
  } catch {
    return false;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

async function measure(bench: Bench): Promise<void> {
  const present: Contender[] = [];
  for (const contender of bench.contenders) {
    if (await isInstalled(contender)) present.push(contender);
    else console.log(`| ${bench.name} | ${contender.name} | missing | |`);
  }
  const times = new Map<string, number[]>(present.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of present) {
      times.get(contender.name)?.push(await time(contender, bench.cwd));
    }
  }
  const own = median(times.get("kprov") ?? []);
  for (const [name, values] of times) {
    const ratio = name === "kprov" ? "" : (own / median(values)).toFixed(2);
    console.log(`| ${bench.name} | ${name} | ${median(values).toFixed(0)} | ${ratio} |`);
  }
}

function makeInputs(directory: string): void {
  const block = new Uint8Array(2 ** 20).map((_, i) => (i * 31) % 256);
  using large = Deno.openSync(`${directory}/large.bin`, { write: true, create: true });
  for (let i = 0; i < 1024; i++) large.writeSync(block);
  Deno.mkdirSync(`${directory}/small`);
  for (let i = 0; i < 10_000; i++) {
    Deno.writeFileSync(`${directory}/small/${i}.bin`, block.subarray(i, i + 1000));
  }
}

/** What the identity guard looks for; none of it is in the files. */
const TOKENS = ["acme/DEMO", "acme/Demo-Fork"];

/** A repository of 50,000 small source files. */
async function makeRepository(directory: string): Promise<void> {
  const policy = {
    schema: "kprovengine.policy.v1",
    identity: {
      technical_name: "kprov-demo",
      forbidden_tokens: TOKENS,
      allowances: [{
        code: "identity.forbidden_token",
        path: "docs/governance/policy.json",
        reason: "the list itself",
      }],
    },
  };
  Deno.mkdirSync(`${directory}/docs/governance`, { recursive: true });
  Deno.writeTextFileSync(`${directory}/docs/governance/policy.json`, JSON.stringify(policy));
  const line = "export const value = await read(input, { limit: 10, order: compare });\n";
  for (let i = 0; i < 50_000; i++) {
    if (i % 500 === 0) Deno.mkdirSync(`${directory}/src/${i / 500}`, { recursive: true });
    const path = `${directory}/src/${Math.floor(i / 500)}/file_${i}.ts`;
    Deno.writeTextFileSync(path, `// ${i}\n${line.repeat(50)}`);
  }
  for (const args of [["init", "--quiet"], ["add", "."]]) {
    await new Deno.Command("git", { args, cwd: directory }).output();
  }
}

const cwd = Deno.makeTempDirSync({ prefix: "kprov-bench-" });
try {
  makeInputs(cwd);
  console.log(
    `Deno ${Deno.version.deno}, ${Deno.build.target}, ${navigator.hardwareConcurrency} cores`,
  );
  console.log("\n| bench | program | median ms | kprov / peer |\n| --- | --- | ---: | ---: |");
  Deno.writeTextFileSync(`${cwd}/empty.ts`, "");
  await measure({
    name: "start-up",
    cwd,
    contenders: [
      kprov("--version"),
      { name: "empty deno run", command: Deno.execPath(), args: ["run", "--quiet", "empty.ts"] },
    ],
  });
  await measure({
    name: "one file of 1 GiB",
    cwd,
    contenders: [
      kprov("large.bin", "--quiet"),
      { name: "openssl dgst -sha256", command: "openssl", args: ["dgst", "-sha256", "large.bin"] },
    ],
  });
  await measure({
    name: "10,000 files of 1 kB",
    cwd,
    contenders: [
      kprov("small", "--quiet"),
      { name: "hashdeep -r -c sha256", command: "hashdeep", args: ["-r", "-c", "sha256", "small"] },
    ],
  });
  Deno.mkdirSync(`${cwd}/repository`);
  await makeRepository(`${cwd}/repository`);
  await measure({
    name: "identity guard over 50,000 files",
    cwd: `${cwd}/repository`,
    contenders: [
      kprov("guard", "identity"),
      {
        name: "git grep -F",
        command: "git",
        args: ["grep", "-c", "-F", ...TOKENS.flatMap((token) => ["-e", token])],
      },
    ],
  });
} finally {
  Deno.removeSync(cwd, { recursive: true });
}
