/**
 * Writes the golden page anew: `deno run --allow-read --allow-write tests/update_report.ts`. A test
 * holds it against what is rendered.
 *
 * @module
 */

import { renderRunReport } from "../src/show/report/run_page.ts";
import { testdata } from "./paths.ts";
import { GOLDEN_RUN } from "./show/report/sample_runs.ts";

Deno.writeTextFileSync(testdata("report.html"), renderRunReport(GOLDEN_RUN, "1.0.0"));
