import type { Policy } from "../../../src/guards/policy.ts";
import { CI } from "./parity_facts.ts";

/** A workflow and what it calls, with the policy that it keeps. */
export interface Style {
  readonly name: string;
  readonly policy: Policy;
  readonly files: Readonly<Record<string, string>>;
}

/** Makes a style of a workflow and the files that it calls. */
export function style(
  name: string,
  policy: Policy,
  text: string,
  more: Style["files"] = {},
): Style {
  return { name, policy, files: { [CI]: text, ...more } };
}
