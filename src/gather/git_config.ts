/** A section's header, with its subsection and what follows on the same line. */
const SECTION = /^\s*\[\s*([^\s"\]]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)$/;

/** A variable with its value; one without `=` means `true`. */
const VARIABLE = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*)|(?:[#;].*)?)$/;

/**
 * Finds the URL of a remote in the text of a git configuration file. URL rewriting is not followed.
 *
 * @param text The file's text
 * @param remote The remote's name, such as `origin`
 * @returns The first URL, as git uses it to fetch, or null
 */
export function findRemoteUrl(text: string, remote: string): string | null {
  return listConfigValues(text, "remote", "url", remote)[0] ?? null;
}

/**
 * Lists the values of a variable in the text of a git configuration file
 * (https://git-scm.com/docs/git-config#_syntax). Included files are not followed.
 *
 * @param text The file's text
 * @param section The section, in lower case
 * @param variable The variable, in lower case
 * @param subsection The subsection, where there is one
 * @returns The values in the file's order; where git wants one, the last counts
 */
export function listConfigValues(
  text: string,
  section: string,
  variable: string,
  subsection?: string,
): string[] {
  const values: string[] = [];
  let inSection = false;
  for (const line of text.replace(/\\\r?\n/g, "").split(/\r?\n/)) {
    const header = SECTION.exec(line);
    if (header !== null) {
      const inner = header[2] === undefined ? undefined : unescapeValue(header[2]);
      inSection = header[1]?.toLowerCase() === section && inner === subsection;
    }
    const found = VARIABLE.exec(header === null ? line : header[3] ?? "");
    if (!inSection || found?.[1]?.toLowerCase() !== variable) continue;
    values.push(found[2] === undefined ? "true" : readValue(found[2]));
  }
  return values;
}

/** The value of a variable: quoted parts as they are, a comment outside of them cut off. */
function readValue(raw: string): string {
  let value = "";
  for (const [part] of raw.matchAll(/"(?:[^"\\]|\\.)*"|\\.|[#;].*$|[^"\\#;]+/g)) {
    if (part.startsWith("#") || part.startsWith(";")) break;
    value += unescapeValue(part.startsWith('"') ? part.slice(1, -1) : part);
  }
  return value.trim();
}

function unescapeValue(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

/**
 * Removes from a remote's URL what must not be recorded: user names, passwords, tokens in the query.
 *
 * @param url As git's configuration has it: a URL, or `user@host:path`
 * @returns The rest, or null for a path of this machine and for forms that are not known here
 */
export function stripCredentials(url: string): string | null {
  if (/^(https?|ssh|git|git\+ssh|ftps?):\/\//i.test(url)) {
    if (!URL.canParse(url)) return null;
    const parsed = new URL(url);
    parsed.username = "";
    parsed.password = "";
    parsed.search = "";
    parsed.hash = "";
    return parsed.href;
  }
  const scpLike = /^(?:[^@/\\:]+@)?([A-Za-z0-9][A-Za-z0-9.-]+):(?!\/\/|:)([^\\@]+)$/.exec(url);
  return scpLike === null ? null : `${scpLike[1]}:${scpLike[2]}`;
}
