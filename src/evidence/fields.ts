import * as z from "zod/mini";
import { describeVariableFault } from "./environment_name.ts";
import { describeNameFault } from "./name.ts";
import { parseUtcSecond } from "./run_id.ts";

/** 64 lowercase hex digits. */
export const sha256Schema = z.string().check(
  z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lowercase hex digits" }),
);

/** A count or a size in bytes. */
export const countSchema = z.int({ error: "expected a whole number from 0 to 2^53-1" }).check(
  z.nonnegative({ error: "expected a whole number from 0 to 2^53-1" }),
);

/** A UTC second such as `2026-02-15T20:13:00Z`, a real one. */
export const timeSchema = z.string().check(
  z.regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/, {
    error: "expected a UTC second such as 2026-02-15T20:13:00Z",
  }),
  z.refine((text: string) => parseUtcSecond(text) === text, {
    error: "expected a time that exists",
  }),
);

/** A name as `describeNameFault()` passes it. */
export const nameSchema = z.string().check(
  z.minLength(1, { error: "expected a name" }),
  z.refine((name: string) => describeNameFault(name) === null, {
    error: (issue) =>
      `expected a relative POSIX path, but it ${describeNameFault(String(issue.input))}`,
  }),
);

/** The name of an environment variable, as `describeVariableFault()` passes it. */
export const variableSchema = z.string().check(
  z.refine((name: string) => describeVariableFault(name) === null, {
    error: "expected the name of an environment variable",
  }),
);
