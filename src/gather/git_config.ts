/**
 * Finds the URL of a remote in the text of a git configuration file
 * (https://git-scm.com/docs/git-config#_syntax). Included files and URL rewriting are not followed.
 *
 * @param text The file's text
 * @param remote The remote's name, such as `origin`
 * @returns The first URL, as git uses it to fetch, or null
 */
export function findRemoteUrl(text: string, remote: string): string | null {
  let inSection = false;
  for (const line of text.replace(/\\\r?\n/g, "").split(/\r?\n/)) {
    const section = /^\s*\[\s*([^\s"\]]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)$/.exec(line);
    if (section !== null) {
      inSection = section[1]?.toLowerCase() === "remote" &&
        unescapeValue(section[2] ?? "") === remote;
    }
    const value = /^\s*url\s*=\s*(.*)$/i.exec(section === null ? line : section[3] ?? "");
    if (inSection && value !== null) return readValue(value[1] ?? "");
  }
  return null;
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
