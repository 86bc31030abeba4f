import { type Finding, makeFinding } from "../finding.ts";
import type { SchemaIssue } from "../schema_issue.ts";
import type { DocumentName } from "./documents.ts";

/** A run of a broken document would else print a finding for each of a million entries. */
const MOST_ISSUES = 100;

/** What is found wrong with a document while it is read part by part. */
export class DocumentFaults {
  readonly #name: DocumentName;
  readonly #issues: SchemaIssue[] = [];
  #issueCount = 0;
  #line: number | null = null;
  #refusal: string | null = null;

  /**
   * Starts without any.
   *
   * @param name The document
   */
  constructor(name: DocumentName) {
    this.#name = name;
  }

  /** Whether the document has its form, as far as it was read. */
  get fitsSchema(): boolean {
    return this.#issueCount === 0;
  }

  /**
   * Notes where a part is not what its schema says.
   *
   * @param issues The places
   * @param pointer Where the part stands in the document
   */
  addIssues(issues: readonly SchemaIssue[], pointer: string): void {
    this.#issueCount += issues.length;
    for (const issue of issues.slice(0, MOST_ISSUES - this.#issues.length)) {
      this.#issues.push({ ...issue, pointer: `${pointer}${issue.pointer}` });
    }
  }

  /**
   * Notes that the bytes are not in canonical form; of several places the first one counts.
   *
   * @param line From which line on
   */
  addDifference(line: number): void {
    this.#line = Math.min(this.#line ?? line, line);
  }

  /**
   * Notes a value that has no canonical form.
   *
   * @param reason Which one
   */
  addRefusal(reason: string): void {
    this.#refusal ??= reason;
  }

  /** Everything that was noted, as findings. */
  list(): Finding[] {
    const path = this.#name;
    const findings = this.#issues.map(({ pointer, message }) =>
      makeFinding("document.schema", `${pointer === "" ? "the document" : pointer}: ${message}`, {
        path,
      })
    );
    const more = this.#issueCount - this.#issues.length;
    if (more > 0) {
      findings.push(makeFinding("document.schema", `${more} more places differ`, { path }));
    }
    return [...findings, ...this.#listForm()];
  }

  #listForm(): Finding[] {
    const [path, line] = [this.#name, this.#line];
    if (this.#refusal !== null) {
      return [makeFinding("document.not_canonical", this.#refusal, { path })];
    }
    if (line === null) return [];
    return [makeFinding("document.not_canonical", "it is not in canonical form from this line on", {
      path,
      line,
      hint: "its bytes were changed after kprov wrote it",
    })];
  }
}
