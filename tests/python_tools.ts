import { makeTree } from "./temporary_tree.ts";

/** An environment of Python with tools of the Python Package Index in it. */
export interface PythonTools extends Disposable {
  /** Where its programs are. */
  readonly bin: string;
}

/**
 * Installs tools into an environment of their own.
 *
 * @param packages The packages, each pinned: a later one may answer differently
 * @returns The environment, or null where Python, its venv or the index cannot be had
 */
export async function installPythonTools(...packages: string[]): Promise<PythonTools | null> {
  const tree = makeTree();
  // A pip in each environment, and compiling what nobody imports, would take most of the time.
  const pip = ["-m", "pip", "--python", `${tree.path}/bin/python`, "install", "--no-compile"];
  const steps: readonly (readonly [string, ...string[]])[] = [
    ["python3", "-m", "venv", "--without-pip", tree.path],
    ["python3", ...pip, "--quiet", "--disable-pip-version-check", ...packages],
  ];
  for (const [program, ...args] of steps) {
    if (await succeeds(program, args)) continue;
    tree[Symbol.dispose]();
    return null;
  }
  return { bin: `${tree.path}/bin`, [Symbol.dispose]: tree[Symbol.dispose] };
}

/** Whether a program is there and ends well, such as with `--version`. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: [...args] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
