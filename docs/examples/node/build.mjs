// Puts the parts of the page together, each name replaced by its value.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const values = JSON.parse(readFileSync("src/values.json", "utf8"));
const page = readFileSync("src/page.html", "utf8")
  .replace(/\{(\w+)\}/g, (_, name) => values[name]);
mkdirSync("dist", { recursive: true });
writeFileSync("dist/index.html", page);
