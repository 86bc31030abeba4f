import BASE from "./style/base.css" with { type: "text" };
import NARROW from "./style/narrow.css" with { type: "text" };
import PAPER from "./style/paper.css" with { type: "text" };
import PICTURES from "./style/pictures.css" with { type: "text" };
import TABLES from "./style/tables.css" with { type: "text" };
import VERDICT from "./style/verdict.css" with { type: "text" };

/** The style sheet of a page. What narrow screens and paper change stands last. */
export const PAGE_STYLE: string = [BASE, VERDICT, TABLES, PICTURES, NARROW, PAPER].join("\n");
