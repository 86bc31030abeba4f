import type { Condition } from "../workflow/condition.ts";
import type { ResolvedText, Scope } from "../workflow/workflow_expression.ts";
import type { YamlNode, YamlResult, YamlScalar } from "../yaml_node.ts";
import type { Fault, Place } from "./place.ts";

/** A condition with what its expression can refer to. */
export interface ScopedCondition {
  readonly condition: Condition;
  readonly scope: Scope;
  readonly place: Place;
  /** Whether the matrix decides it, so that it is a choice among the jobs. */
  readonly isByMatrix: boolean;
}

/** What a job needs, and under what conditions it runs. */
export interface JobSpec {
  readonly id: string;
  readonly condition: ScopedCondition;
  /** The jobs before it; a name that no job has stands as null. */
  readonly needs: () => readonly (JobSpec | null)[];
  /** The job that calls the workflow in which this one stands. */
  readonly caller: JobSpec | null;
}

/** A job in one combination of its matrix. */
export interface JobInstance {
  readonly spec: JobSpec;
  readonly node: YamlNode;
  readonly scope: Scope;
  /** The label that it runs on, or null where only the run knows. */
  readonly runsOn: string | null;
  readonly container: ResolvedText | null;
  readonly continueOnError: ScopedCondition;
  readonly steps: readonly StepInstance[];
}

/** A step in one combination of its job's matrix; steps of composite actions stand in their place. */
export interface StepInstance {
  readonly node: YamlNode;
  readonly place: Place;
  readonly scope: Scope;
  /** Its own `if`, and those of the steps that lead to it. */
  readonly conditions: readonly ScopedCondition[];
  /** Likewise for `continue-on-error`. */
  readonly continueOnError: readonly ScopedCondition[];
  readonly run: YamlScalar | null;
  readonly uses: string | null;
  readonly shell: ResolvedText | null;
  readonly workingDirectory: ResolvedText | null;
}

/** A workflow with everything that it calls. */
export interface ExpandedWorkflow {
  readonly jobs: readonly JobInstance[];
  /** What it calls and cannot be read here. */
  readonly unfollowed: readonly Fault[];
}

/** What a workflow's jobs inherit, and what all jobs share. */
export interface Context {
  readonly path: string;
  readonly root: YamlNode;
  readonly yaml: ReadonlyMap<string, YamlResult>;
  readonly inputs: ReadonlyMap<string, ResolvedText> | null;
  readonly caller: JobSpec | null;
  readonly depth: number;
  readonly unfollowed: Fault[];
  readonly budget: { left: number };
}

/** Most workflows and actions that call each other, one inside the other. */
export const MAX_DEPTH = 5;
