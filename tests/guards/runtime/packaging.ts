import { fromFileUrl } from "../../paths.ts";

/** The release of PyPI's `packaging` that is asked. */
export const PACKAGING = "26.4";

/** What `packaging` says of each pair: for each specifier a `1` or `0` for each version, in order. */
export interface PackagingAnswers {
  readonly packaging: string;
  readonly versions: readonly string[];
  /** Specifiers that `packaging` refuses have null. */
  readonly specifiers: Readonly<Record<string, string | null>>;
}

/** Where the recorded answers stand. */
export const ANSWERS_PATH: string = fromFileUrl(
  new URL("../../testdata/pep440.json", import.meta.url),
);

const RELEASES = ["2.7.18", "3", "3.9.0", "3.10.9", "3.11", "3.11.0", "3.11.1", "3.11.9", "3.12"]
  .concat("3.12.0", "3.12.1", "3.12.7", "3.13.0", "3.13.1", "3.14.0", "4.0.0", "3.12.0.0");
const PRERELEASES = ["3.11.0rc1", "3.12.0a1", "3.12.0b2", "3.12.0rc1", "3.12.0rc2", "3.12.1rc1"]
  .concat("3.13.0a1", "3.13.0b1", "3.13.0rc1", "3.13.0.preview_1", "3.13.0-c.2", "v3.14.0ALPHA")
  .concat("4.0.0a1");

/** The versions that are asked about. */
export const VERSIONS: readonly string[] = [...RELEASES, ...PRERELEASES];

/** The specifiers that are asked about: each operator with each operand, and sets of them. */
export const SPECIFIERS: readonly string[] = [
  ...["==", "!=", "<=", ">=", "<", ">", "~="].flatMap((operator) =>
    ["3", "3.11", "3.12", "3.12.0", "3.12.1", "3.12.0.0", "v3.012", "3.12.0rc1", "3.13.0a1"]
      .concat("3.12rc1", "3.13.0-beta.1", "4").map((operand) => `${operator}${operand}`)
  ),
  ...["==", "!=", ">=", "~="].flatMap((operator) =>
    ["3.*", "3.11.*", "3.12.*", "3.12.0.*", "3.12.0.0.*", "3.12.0rc1.*"]
      .map((operand) => `${operator}${operand}`)
  ),
  ...[">=3.11", ">3.11", "~=3.11", ">=3.12.0rc1", "!=3.12.0rc1"].flatMap((first) =>
    [
      "<3.13",
      "<=3.13",
      "<3.13.0a1",
      "!=3.12.*",
      "!=3.12.0",
      "!=3.13.0rc1",
      "==3.*",
      "<3.13,!=3.12.1",
    ]
      .map((second) => `${first},${second}`)
  ),
  "",
  " >= 3.11 , < 3.13 , ",
  "3.12",
  "^3.11",
  ">=3.11 <3.13",
  ">=3.11,,<3.13",
  "=>3.11",
  ">=three",
];

const PROGRAM = `
import json, sys
import packaging
from packaging.specifiers import InvalidSpecifier, SpecifierSet

asked = json.load(sys.stdin)

def ask(text):
    try:
        specifiers = SpecifierSet(text)
    except InvalidSpecifier:
        return None
    # Where no specifier names a pre-release, none is wanted.
    prereleases = bool(specifiers.prereleases)
    return "".join(
        "1" if specifiers.contains(version, prereleases=prereleases) else "0"
        for version in asked["versions"]
    )

json.dump({
    "packaging": packaging.__version__,
    "versions": asked["versions"],
    "specifiers": {text: ask(text) for text in asked["specifiers"]},
}, sys.stdout)
`;

/** Installs `packaging` into a virtual environment of its own and asks it about every pair. */
export async function askPackaging(directory: string): Promise<PackagingAnswers> {
  await run("python3", ["-m", "venv", directory]);
  const python = `${directory}/bin/python`;
  await run(python, ["-m", "pip", "install", "--quiet", `packaging==${PACKAGING}`]);
  const asked = JSON.stringify({ versions: VERSIONS, specifiers: SPECIFIERS });
  return JSON.parse(await run(python, ["-c", PROGRAM], asked));
}

async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`${program} ${args.join(" ")} fails`);
  return new TextDecoder().decode(stdout);
}
