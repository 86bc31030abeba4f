/** A test that was registered. */
export interface CollectedTest {
  /** Its file and name. */
  readonly name: string;
  /** Runs it; throws where it fails. */
  readonly run: () => Promise<void>;
}

type TestFunction = (context: Deno.TestContext) => void | Promise<void>;
type Definition = Partial<Deno.TestDefinition>;

/** `Deno.test()` takes a name, options and a function in several orders. */
function toDefinition(args: readonly unknown[]): Definition {
  return args.reduce<Definition>((definition, arg) => {
    if (typeof arg === "string") return { ...definition, name: arg };
    if (typeof arg === "function") {
      return { name: arg.name, ...definition, fn: arg as TestFunction };
    }
    return { ...definition, ...arg as Definition };
  }, {});
}

/** Steps run one after the other, and fail their test. */
function makeContext(name: string): Deno.TestContext {
  const step = async (...args: readonly unknown[]): Promise<boolean> => {
    const { name: own = "", fn, ignore } = toDefinition(args);
    if (ignore !== true) await fn?.(makeContext(own));
    return true;
  };
  return { name, origin: "", step } as Deno.TestContext;
}

/**
 * Loads files of tests and collects what they register, instead of running it.
 *
 * @param files Their paths in the tree
 * @param directory The tree
 */
export async function collectTests(
  files: readonly string[],
  directory: string,
): Promise<readonly CollectedTest[]> {
  const tests: CollectedTest[] = [];
  let file = "";
  const register = (...args: readonly unknown[]): void => {
    const { name = "", fn, ignore } = toDefinition(args);
    if (fn === undefined || ignore === true) return;
    const run = async (): Promise<void> => await fn(makeContext(name));
    tests.push({ name: `${file}: ${name}`, run });
  };
  const test = Object.assign(register, { ignore: () => {}, only: register });
  Object.defineProperty(Deno, "test", { value: test, configurable: true });
  for (file of files) await import(`file://${directory}/${file}`);
  return tests;
}
