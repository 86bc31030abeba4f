import { succeeds } from "./python_tools.ts";
import { decode } from "./run_kprov.ts";
import { makeTree, type TemporaryTree } from "./temporary_tree.ts";

/** A Slurm of one node, this machine, with an authentication of its own. */
export interface Slurm extends Disposable {
  /** What its commands need in their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Waits until no job is left, and says of each how it ended: `COMPLETED` or another state. */
  readonly waitForJobs: () => Promise<readonly string[]>;
}

const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"];

/** Longer than anything takes that ends at all. */
const PATIENCE_MS = 120_000;

/** What lets a machine without cgroups and without other nodes run jobs. */
function renderConfig(host: string, user: string, directory: string, ports: readonly number[]) {
  return `
ClusterName=one
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=${user}
SlurmdUser=${user}
AuthInfo=socket=${directory}/munge/socket
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
StateSaveLocation=${directory}/state
SlurmdSpoolDir=${directory}/spool
SlurmctldPidFile=${directory}/slurmctld.pid
SlurmdPidFile=${directory}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MinJobAge=3600
NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2048
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
`;
}

/**
 * Starts one.
 *
 * @returns It, or why there is none
 */
export async function startSlurm(): Promise<Slurm | string> {
  for (const program of PROGRAMS) {
    if (!await succeeds("which", [program])) return `${program} is missing here`;
  }
  const tree = makeTree();
  const children: Deno.ChildProcess[] = [];
  const slurm = makeSlurm(tree, children);
  try {
    await startDaemons(tree, children, slurm.env);
    return slurm;
  } catch (error) {
    slurm[Symbol.dispose]();
    return `Slurm does not start here: ${error instanceof Error ? error.message : error}`;
  }
}

async function startDaemons(
  tree: TemporaryTree,
  children: Deno.ChildProcess[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  for (const name of ["munge", "state", "spool"]) Deno.mkdirSync(tree.at(name), { mode: 0o700 });
  const key = crypto.getRandomValues(new Uint8Array(1024));
  Deno.writeFileSync(tree.at("munge/key"), key, { mode: 0o600 });
  const [host, user] = [await ask("hostname", ["-s"]), await ask("id", ["-un"])];
  const config = renderConfig(host, user, tree.path, [takePort(), takePort()]);
  Deno.writeTextFileSync(tree.at("slurm.conf"), config);
  const start = (program: string, args: readonly string[]): void => {
    const command = new Deno.Command(program, {
      args: [...args],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    children.push(command.spawn());
  };
  const files = ["key", "socket", "pid", "log", "seed"].map((name) =>
    `--${name}-file=${tree.at(`munge/${name}`)}`.replace("socket-file", "socket")
  );
  // A directory of tests is below /tmp, which others may write to: munged wants to be forced.
  start("munged", ["--foreground", "--force", ...files]);
  await until(() => succeeds("test", ["-S", tree.at("munge/socket")]));
  start("slurmctld", ["-D", "-c", "-f", tree.at("slurm.conf")]);
  start("slurmd", ["-D", "-c", "-f", tree.at("slurm.conf")]);
  await until(async () => await ask("sinfo", ["--noheader", "--format=%T"], env) === "idle");
}

function makeSlurm(tree: TemporaryTree, children: readonly Deno.ChildProcess[]): Slurm {
  const env = { SLURM_CONF: tree.at("slurm.conf") };
  const listStates = async (): Promise<readonly string[]> => {
    const args = ["--noheader", "--array", "--states=all", "--format=%T"];
    return (await ask("squeue", args, env)).split("\n").filter((state) => state !== "");
  };
  const waitForJobs = async (): Promise<readonly string[]> => {
    const isLeft = (state: string): boolean => /^(PENDING|RUNNING|COMPLETING)$/.test(state);
    await until(async () => !(await listStates()).some(isLeft));
    return await listStates();
  };
  return {
    env,
    waitForJobs,
    [Symbol.dispose]: () => {
      for (const child of children.toReversed()) {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended already.
        }
      }
      tree[Symbol.dispose]();
    },
  };
}

/** A port that nobody uses now. */
function takePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function ask(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: [...args], env }).output();
  return decode(stdout).trim();
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!await isSo()) {
    if (performance.now() - start > PATIENCE_MS) throw new Error("it takes too long");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
