import { showName } from "../base/quote.ts";
import type {
  Cause,
  ExplainedProduct,
  PipelineStatus,
  ProductState,
  ProductStatus,
} from "../evidence/pipeline_status.ts";
import { choosePaint, type Paint, type TextOptions, toPosixPath } from "./text.ts";

/** The status as the content of one JSON document. */
export function describeStatus({ ok, products, unknown }: PipelineStatus): unknown {
  return {
    ok,
    products: products.map(({ path, state, run, because }) => ({
      path,
      state,
      run: toPosixPath(run),
      because: because.map(({ kind, name }) => ({ kind, name })),
    })),
    unknown,
  };
}

/** Of its causes, a line names so many. */
const MOST_CAUSES = 3;

/** The status for people: a line a product, a line in the end. */
export function* listStatusLines(
  { products, unknown }: PipelineStatus,
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  for (const product of products) {
    yield `${renderState(product.state, paint)}  ${listName(product)}`;
  }
  for (const name of unknown) yield `${paint("unknown ", "note")}  ${showName(name)}`;
  const good = products.filter(({ state }) => state === "current").length;
  yield `${good} of ${products.length} ${products.length === 1 ? "product" : "products"} current`;
}

function renderState(state: ProductState, paint: Paint): string {
  return paint(state.padEnd(8), state === "current" ? "good" : "bad");
}

function listName({ path, because }: ProductStatus): string {
  const name = showName(path);
  return because.length === 0 ? name : `${name}  because of ${listCauses(because)}`;
}

function listCauses(causes: readonly Cause[]): string {
  const shown = causes.slice(0, MOST_CAUSES).map(({ kind, name }) => `${kind} ${showName(name)}`);
  const more = causes.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The chain from a product back to what changed, for people: a paragraph a step. */
export function* listExplainLines(
  steps: readonly ExplainedProduct[],
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  for (const { path, state, run, causes, from } of steps) {
    yield `${renderState(state, paint)}  ${showName(path)}`;
    yield `          made by ${showName(toPosixPath(run))}`;
    for (const { kind, name } of causes) yield `          changed since: ${kind} ${showName(name)}`;
    for (const name of from) yield `          made from ${showName(name)}, which is not current`;
  }
}
