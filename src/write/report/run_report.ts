import { renderCircumstances } from "./circumstances_section.ts";
import { renderInputs, renderProducts } from "./files_section.ts";
import { renderFlow } from "./flow_section.ts";
import { renderPage } from "./page.ts";
import { renderRecheck } from "./recheck_section.ts";
import type { ReportedRun } from "./reported_run.ts";
import { renderReview } from "./review_section.ts";
import { renderToolchain } from "./toolchain_section.ts";
import { renderVerdict } from "./verdict.ts";

/**
 * Renders a run as a page for people. Equal runs give equal bytes.
 *
 * @param run The run
 * @param kprov The version of the kprov that writes the page
 * @returns An HTML document
 */
export function renderRunReport(run: ReportedRun, kprov: string): string {
  return renderPage({
    kind: "kprov: report of one run",
    title: `Run ${run.name}`,
    kprov,
    sections: [
      { id: "verdict", title: "Verdict", content: renderVerdict(run) },
      { id: "flow", title: "What happened", content: renderFlow(run) },
      { id: "inputs", title: "What went in", content: renderInputs(run) },
      { id: "products", title: "What came out", content: renderProducts(run) },
      { id: "toolchain", title: "Toolchain", content: renderToolchain(run) },
      { id: "circumstances", title: "Permissions and policy", content: renderCircumstances(run) },
      { id: "review", title: "Review", content: renderReview(run) },
      { id: "recheck", title: "Check it yourself", content: renderRecheck(run) },
    ],
  });
}
