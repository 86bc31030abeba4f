/**
 * Everything by which repositories declare or pin a runtime: one table, each source with its reader.
 * docs/governance.md shows it.
 *
 * @module
 */

import { compileGlobs } from "../../base/glob.ts";
import type { YamlNode } from "../actions/yaml.ts";
import { DOCKERFILE_PATH } from "../guard.ts";
import type { Policy } from "../policy.ts";
import {
  readAzure,
  readCircle,
  readGitlab,
  readPreCommit,
  readReadTheDocs,
  readTravis,
} from "./ci_files.ts";
import {
  type ImageBuild,
  listComposeBuilds,
  listDevcontainerBuilds,
  readCompose,
  readDevcontainer,
  readDockerfile,
} from "./container_files.ts";
import { type Declaration, type RuntimeName, RUNTIMES } from "./declaration.ts";
import {
  readCondaEnvironment,
  readHatch,
  readPipfile,
  readPixi,
  readPyproject,
  readPythonScript,
  readSetupCfg,
  readSetupPy,
  readToxIni,
  readToxToml,
  SCRIPT_START,
} from "./python_manifests.ts";
import {
  readMise,
  readNpmrc,
  readPackageJson,
  readPnpmWorkspace,
  readProtoTools,
  readRuntimeTxt,
  readToolVersions,
  readVersionFile,
} from "./version_files.ts";

/** Reads a text; a Dockerfile with the builds of it that other files ask for. */
type ReadText = (path: string, text: string, builds: readonly ImageBuild[]) => Declaration[];

/** The builds of Dockerfiles that a file asks for. */
type ListBuilds<Content> = (path: string, content: Content) => ImageBuild[];

/** How a source is read: as text, as YAML, or, for GitHub's workflows and actions, all of them together. */
type Reader =
  | { readonly as: "text"; readonly read: ReadText; readonly listBuilds?: ListBuilds<string> }
  | {
    readonly as: "yaml";
    readonly read: (path: string, root: YamlNode) => Declaration[];
    readonly listBuilds?: ListBuilds<YamlNode>;
  }
  | { readonly as: "workflow" };

/** A kind of file that declares runtimes. */
export interface RuntimeSource {
  /** The names of its files, as docs/governance.md shows them. */
  readonly files: readonly string[];
  /** What in them declares a runtime, for docs/governance.md. */
  readonly declares: string;
  /** The runtimes that it can declare. */
  readonly runtimes: readonly RuntimeName[];
  /** Which paths it is for, where the names in `files` do not say. */
  readonly pattern?: RegExp;
  /** Whether setup actions can be told to take their version from it. */
  readonly isVersionFile?: true;
  /** Whether files of other purposes have such names, and may be unreadable. */
  readonly isGuess?: true;
  /** Whether its readers take a byte order mark off. */
  readonly allowsMark?: true;
  readonly reader: Reader;
}

const NODE: readonly RuntimeName[] = ["node"];
const PYTHON: readonly RuntimeName[] = ["python"];

function asText(read: ReadText): Reader {
  return { as: "text", read };
}

function asYaml(read: (path: string, root: YamlNode) => Declaration[]): Reader {
  return { as: "yaml", read };
}

/** Dockerfiles, where the policy does not say which they are. */
const DOCKERFILE: RuntimeSource = {
  files: ["Dockerfile", "Dockerfile.*", "*.Dockerfile", "Containerfile", "Containerfile.*"],
  declares: "images of `FROM`, `COPY --from` and `RUN --mount`, `UV_PYTHON`, commands of `RUN`",
  runtimes: RUNTIMES,
  pattern: DOCKERFILE_PATH,
  allowsMark: true,
  reader: asText(readDockerfile),
};

/** Scripts, of which most declare nothing. */
export const SCRIPT: RuntimeSource = {
  files: ["*.py", "*.pyw"],
  declares:
    "`requires-python` of the script's metadata (PEP 723), of files without an extension too",
  runtimes: PYTHON,
  pattern: /\.pyw?$|(?:^|\/)[^./]+$/,
  reader: asText(readPythonScript),
};

/** Every source, in the order in which docs/governance.md shows them. */
export const SOURCES: readonly RuntimeSource[] = [
  {
    files: [".github/workflows/*.yml", "action.yml"],
    declares:
      "setup actions, `container`, `services`, `uses: docker://`, `runs.using`, `UV_PYTHON`, commands of `run`",
    runtimes: RUNTIMES,
    pattern: /^\.github\/workflows\/[^/]+\.ya?ml$|(?:^|\/)action\.ya?ml$/i,
    reader: { as: "workflow" },
  },
  DOCKERFILE,
  {
    files: ["compose.yaml", "docker-compose.yml", "compose.*.yaml", "docker-compose.*.yml"],
    declares:
      "`services.*.image`, `build.dockerfile_inline`, `build.args`, `environment.UV_PYTHON`",
    runtimes: RUNTIMES,
    pattern: /(?:^|\/)(?:docker-)?compose(?:[.-][^/]+)?\.ya?ml$/i,
    reader: { as: "yaml", read: readCompose, listBuilds: listComposeBuilds },
  },
  {
    files: [
      ".devcontainer/devcontainer.json",
      ".devcontainer/*/devcontainer.json",
      ".devcontainer.json",
    ],
    declares:
      "`image`, `build.args`, the features python, node and deno, `containerEnv.UV_PYTHON`, commands",
    runtimes: RUNTIMES,
    pattern: /(?:^|\/)\.?devcontainer\.json$/,
    allowsMark: true,
    reader: { as: "text", read: readDevcontainer, listBuilds: listDevcontainerBuilds },
  },
  {
    files: [
      ".gitlab-ci.yml",
      "*.gitlab-ci.yml",
      ".gitlab/ci/*.yml",
      "bitbucket-pipelines.yml",
      ".woodpecker.yml",
      ".woodpecker/*.yml",
    ],
    declares:
      "`image` and `services` with the file's own variables, `UV_PYTHON`, commands of scripts",
    runtimes: RUNTIMES,
    pattern:
      /(?:^|[/.])gitlab-ci\.ya?ml$|^\.gitlab\/ci\/.+\.ya?ml$|^bitbucket-pipelines\.yml$|^\.woodpecker(?:\/[^/]+)?\.ya?ml$/,
    reader: asYaml(readGitlab),
  },
  {
    files: [".circleci/config.yml"],
    declares:
      "images of `docker` with the file's own parameters, the orbs node and python, `UV_PYTHON`, commands of `run`",
    runtimes: RUNTIMES,
    pattern: /^\.circleci\/[^/]+\.ya?ml$/,
    reader: asYaml(readCircle),
  },
  {
    files: ["azure-pipelines.yml", "azure-pipelines*.yml", ".azure-pipelines/*.yml"],
    declares:
      "`UsePythonVersion`, `NodeTool`, `UseNode`, `container`, `UV_PYTHON`, commands of scripts",
    runtimes: RUNTIMES,
    pattern:
      /(?:^|\/)azure-pipelines?[^/]*\.ya?ml$|^\.?azure-pipelines?\/.+\.ya?ml$|^\.azure\/.+\.ya?ml$/,
    reader: asYaml(readAzure),
  },
  {
    files: [".travis.yml"],
    declares: "`python` and `node_js`, of the file and of its jobs",
    runtimes: ["node", "python"],
    reader: asYaml(readTravis),
  },
  {
    files: [".pre-commit-config.yaml"],
    declares: "`default_language_version`, the `language_version` of hooks whose language it says",
    runtimes: ["node", "python"],
    reader: asYaml(readPreCommit),
  },
  {
    files: [".readthedocs.yaml", ".readthedocs.yml"],
    declares: "`build.tools`, `python.version`, commands of `build`",
    runtimes: ["node", "python"],
    reader: asYaml(readReadTheDocs),
  },
  {
    files: [".tool-versions"],
    declares: "every version of `deno`, `nodejs` and `python`",
    runtimes: RUNTIMES,
    isVersionFile: true,
    reader: asText(readToolVersions),
  },
  {
    files: [
      "mise.toml",
      ".mise.toml",
      "mise.*.toml",
      "mise/config.toml",
      ".config/mise.toml",
      ".config/mise/config.toml",
      ".config/mise/conf.d/*.toml",
    ],
    declares: "`tools`, of tasks too, `env.UV_PYTHON`",
    runtimes: RUNTIMES,
    pattern:
      /(?:^|\/)\.?mise(?:\.[\w-]+)*\.toml$|(?:^|\/)\.?mise\/config(?:\.[\w-]+)*\.toml$|(?:^|\/)mise\/conf\.d\/[^/]+\.toml$/,
    isVersionFile: true,
    reader: asText(readMise),
  },
  {
    files: [".prototools"],
    declares: "`deno`, `node` and `python`",
    runtimes: RUNTIMES,
    reader: asText(readProtoTools),
  },
  {
    files: [".dvmrc"],
    declares: "its content",
    runtimes: ["deno"],
    isVersionFile: true,
    reader: asText(readVersionFile),
  },
  {
    files: [".nvmrc", ".node-version"],
    declares: "its content",
    runtimes: NODE,
    isVersionFile: true,
    reader: asText(readVersionFile),
  },
  {
    files: [".python-version", ".python-versions"],
    declares: "every line",
    runtimes: PYTHON,
    isVersionFile: true,
    reader: asText(readVersionFile),
  },
  {
    files: ["runtime.txt"],
    declares: "its first line, where it is a version",
    runtimes: ["node", "python"],
    isVersionFile: true,
    reader: asText(readRuntimeTxt),
  },
  {
    files: ["package.json"],
    declares: "`engines`, `devEngines.runtime`, `volta`, `pnpm.executionEnv`",
    runtimes: ["deno", "node"],
    isVersionFile: true,
    allowsMark: true,
    reader: asText(readPackageJson),
  },
  {
    files: [".npmrc"],
    declares: "`use-node-version`, `node-version`",
    runtimes: NODE,
    allowsMark: true,
    reader: asText(readNpmrc),
  },
  {
    files: ["pnpm-workspace.yaml"],
    declares: "`useNodeVersion`, `nodeVersion`, `executionEnv`",
    runtimes: NODE,
    reader: asYaml(readPnpmWorkspace),
  },
  {
    files: ["pyproject.toml"],
    declares:
      "`project.requires-python`, Poetry's `python`, uv's dependency groups, Hatch's environments, pixi, tox",
    runtimes: RUNTIMES,
    isVersionFile: true,
    reader: asText(readPyproject),
  },
  {
    files: ["setup.cfg"],
    declares: "`python_requires`, tox's settings",
    runtimes: PYTHON,
    allowsMark: true,
    reader: asText(readSetupCfg),
  },
  {
    files: ["setup.py"],
    declares: "`python_requires`, where it is a literal",
    runtimes: PYTHON,
    allowsMark: true,
    reader: asText(readSetupPy),
  },
  {
    files: ["tox.ini"],
    declares: "the environments of `env_list` and of sections, `base_python`",
    runtimes: PYTHON,
    allowsMark: true,
    reader: asText(readToxIni),
  },
  {
    files: ["tox.toml"],
    declares: "`env_list`, `base_python`",
    runtimes: PYTHON,
    reader: asText(readToxToml),
  },
  {
    files: ["hatch.toml"],
    declares: "`envs.*.python` and matrices",
    runtimes: PYTHON,
    reader: asText(readHatch),
  },
  {
    files: ["Pipfile"],
    declares: "`requires`",
    runtimes: PYTHON,
    isVersionFile: true,
    reader: asText(readPipfile),
  },
  {
    files: ["environment.yml", "environment.yaml", "environment-*.yml", "*-environment.yml"],
    declares: "`dependencies`",
    runtimes: RUNTIMES,
    pattern: /(?:^|\/)(?:[\w.-]+[._-])?environment(?:[._-][\w.-]+)?\.ya?ml$/i,
    reader: asYaml(readCondaEnvironment),
  },
  {
    files: ["envs/*.yaml", "conda.yaml", "conda-*.yml"],
    declares: "`dependencies`, where it is an environment of conda",
    runtimes: RUNTIMES,
    pattern:
      /(?:^|\/)envs\/(?!(?:[\w.-]+[._-])?environment[._-])[^/]+\.ya?ml$|(?:^|\/)conda(?:[._-][\w-]+)*\.ya?ml$/i,
    isGuess: true,
    reader: asYaml(readCondaEnvironment),
  },
  {
    files: ["pixi.toml"],
    declares: "`dependencies`, those of features and targets too",
    runtimes: RUNTIMES,
    reader: asText(readPixi),
  },
  SCRIPT,
];

const BY_NAME: ReadonlyMap<string, RuntimeSource> = new Map(
  SOURCES.filter(({ pattern }) => pattern === undefined)
    .flatMap((source) => source.files.map((name) => [name, source] as const)),
);
const NONE: readonly RuntimeSource[] = [];
/** By how their files end: a pattern costs more than all the rest that is asked of a path. */
const BY_PATTERN: ReadonlyMap<string, readonly RuntimeSource[]> = Map.groupBy(
  SOURCES.filter(({ pattern }) => pattern !== undefined),
  (source) => source === DOCKERFILE ? "" : endingOf(source.files[0] ?? ""),
);

/** The policy's globs, compiled once for each policy. */
const compiledGlobs = new WeakMap<readonly string[], (path: string) => boolean>();

/**
 * Tells as what a file may declare one of the runtimes.
 *
 * @param path The file's path
 * @param policy Says which files are Dockerfiles, where it does
 * @param runtimes The runtimes that the policy names
 */
export function sourcesOf(
  path: string,
  policy: Policy,
  runtimes: readonly RuntimeName[],
): readonly RuntimeSource[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const named = BY_NAME.get(name);
  const others = BY_PATTERN.get(endingOf(name)) ?? NONE;
  const isImage = isDockerfile(path, name, policy);
  // Of most files nothing more is asked: there are many, and several guards ask.
  if (named === undefined && others === NONE && !isImage) return NONE;
  if (isInstalled(path)) return NONE;
  return [
    ...named === undefined ? NONE : [named],
    ...others.filter(({ pattern }) => pattern?.test(path)),
    ...isImage ? [DOCKERFILE] : NONE,
  ].filter((source) => source.runtimes.some((runtime) => runtimes.includes(runtime)));
}

/** The extension of a file's name, of which YAML has two; scripts need none. */
function endingOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const ending = dot < 0 ? "py" : name.slice(dot + 1).toLowerCase();
  return ending === "yml" ? "yaml" : ending === "pyw" ? "py" : ending;
}

/**
 * The text that a file must hold to declare anything.
 *
 * @param sources As what it may declare a runtime
 * @returns Null where it may without
 */
export function markerOf(sources: readonly RuntimeSource[]): string | null {
  return sources.length > 0 && sources.every((source) => source === SCRIPT) ? SCRIPT_START : null;
}

/** What packages bring along declares their runtimes, not the repository's. */
function isInstalled(path: string): boolean {
  return path.startsWith("node_modules/") || path.includes("/node_modules/");
}

function isDockerfile(path: string, name: string, policy: Policy): boolean {
  const globs = policy.identity?.dockerfiles;
  if (globs === undefined) {
    const isLike = /(?:docker|container)file/i.test(name);
    return isLike && (DOCKERFILE.pattern?.test(path) ?? false);
  }
  const matches = compiledGlobs.get(globs) ?? compileGlobs(globs, "/identity/dockerfiles");
  compiledGlobs.set(globs, matches);
  return matches(path);
}
