/**
 * Which commands check something: options are skipped, and the programs that run others are seen
 * through.
 *
 * @module
 */

import { listCommands } from "../actions/steps.ts";

/** Programs that check and do nothing else. */
export const CHECKING_PROGRAMS: readonly string[] =
  ("actionlint ansible-lint attw autoflake ava bandit basedpyright bats buf-lint check-manifest " +
    "check-wheel-contents checkov clang-tidy codespell commitlint cppcheck cspell ctest cypress " +
    "depcheck deptry detect-secrets djlint doc8 eslint flake8 gitleaks golangci-lint govulncheck " +
    "hadolint interrogate jasmine jest karma knip ktlint kubeconform kubeval linkchecker lint-imports " +
    "luacheck lychee markdownlint markdownlint-cli2 megalinter mocha mypy nox osv-scanner oxlint phpcs " +
    "phpstan phpunit pip-audit protolint psalm publint pycodestyle pydocstyle pylint pyright pyrefly " +
    "pytest py.test rspec rubocop safety semgrep shellcheck standard standardrb staticcheck stylelint " +
    "swiftlint tap tflint tfsec tox trivy trufflehog ty typos vale validate-pyproject vitest vulture " +
    "xo yamllint zizmor").split(" ");

/**
 * Programs that check where their words say so: words in their order, options skipped; what starts
 * with `-` must be among the options. `|` separates what a row stands for.
 */
export const CHECKING_COMMANDS: Readonly<Record<string, string>> = {
  alembic: "check",
  autopep8: "--diff",
  bazel: "test",
  biome: "check|ci|lint",
  black: "--check|--diff",
  buf: "lint|breaking|format --exit-code",
  bun: "test|audit",
  cabal: "test",
  cargo:
    "test|clippy|check|nextest|deny|audit|insta test|hack|miri test|llvm-cov|fmt --check|semver-checks",
  "clang-format": "--dry-run|-n",
  composer: "test|check|lint|validate|audit",
  coverage: "run",
  dart: "test|analyze|format --set-exit-if-changed",
  dbt: "test",
  deno: "test|lint|check|fmt --check|doc --lint",
  "django-admin": "test|check",
  django: "test|check",
  dotnet: "test|format --verify-no-changes",
  dprint: "check",
  flutter: "test|analyze",
  git: "diff --exit-code|diff --quiet|diff-index --quiet|diff --check",
  go: "test|vet",
  gofmt: "-l|-d",
  gofumpt: "-l|-d",
  hatch: "test|fmt --check",
  helm: "lint|unittest",
  isort: "--check|--check-only|--diff|-c",
  lefthook: "run",
  "manage.py": "test|check|makemigrations --check",
  mdformat: "--check",
  meson: "test",
  mix: "test|credo|dialyzer|format --check-formatted",
  "nf-core": "lint",
  "nf-test": "test",
  ninja: "test",
  nix: "flake check",
  node: "--test",
  npm: "audit",
  pants: "test|lint|check",
  pdm: "lock --check",
  playwright: "test",
  pnpm: "audit",
  poetry: "check|lock --check",
  "pre-commit": "run",
  prek: "run",
  prettier: "--check|--list-different|-c|-l",
  python:
    "manage.py test|manage.py check|manage.py makemigrations --check|setup.py test|-m unittest|-m doctest",
  R: "CMD check",
  rake: "test|spec",
  reuse: "lint",
  ruff: "check|format --check|format --diff",
  rustfmt: "--check",
  rye: "test|lint|fmt --check",
  shfmt: "-d|-l",
  snakefmt: "--check|--diff",
  snakemake: "--lint",
  "sphinx-build": "-b linkcheck|-b doctest",
  sqlfluff: "lint",
  stack: "test",
  stylua: "--check",
  swift: "test",
  taplo: "lint|check|fmt --check",
  terraform: "fmt -check|validate|test",
  tofu: "fmt -check|validate|test",
  tsc: "--noEmit",
  twine: "check",
  uv: "lock --check|lock --locked",
  "vue-tsc": "--noEmit",
  yapf: "--diff|-d",
  yarn: "audit|npm audit",
};

/** Calls in the code that `Rscript -e` and `julia -e` are given, and that check. */
export const CHECKING_CALLS: readonly string[] = [
  "devtools::check",
  "devtools::test",
  "lint_dir",
  "lint_package",
  "Pkg.test",
  "rcmdcheck",
  "test_check",
  "test_dir",
  "test_local",
  "test_package",
];
const CHECKING_CALL = new RegExp(
  `\\b(?:${CHECKING_CALLS.join("|").replaceAll(".", "\\.")})\\s*\\(`,
);

/** In the same form: what makes something else of a command that would check. */
const HARMLESS_COMMANDS: Readonly<Record<string, string>> = {
  cargo: "test --no-run",
  npm: "audit fix",
  nox: "--list|-l|--list-sessions|--install-only",
  pnpm: "audit --fix",
  pytest: "--fixtures|--markers|--collect-only|--co",
  tox: "--notest|--list|-l|-a|--showconfig|list|config|devenv|l|c|d",
};

/** How a program that runs another is called, and which of its options have a value behind them. */
export interface Wrapper {
  readonly words: string;
  readonly values?: string;
  /** How many words stand between its options and the command. */
  readonly skips?: number;
  /** Whether the word behind it may be the name of a task. */
  readonly isRunner?: true;
}

const UV_VALUES = "--group --only-group --no-group --extra --no-extra --python -p --with " +
  "--with-editable --with-requirements --env-file --directory --project --package --index " +
  "--index-url --extra-index-url --default-index --from --config-file --color -C --cache-dir -w";

const CONTAINER_VALUES = "-e --env --env-file -f --file -h --hostname -l --label -m --memory -p " +
  "--publish --project-name --profile -u --user -v --volume -w --workdir --add-host --cap-add --cpus " +
  "--device --entrypoint --gpus --ipc --mount --name --network --platform --pull --restart " +
  "--security-opt --shm-size --tmpfs --ulimit";

/** They run a command in a container, which is made of an image or named. */
const CONTAINER_WRAPPERS: readonly Wrapper[] = [
  "docker",
  "docker compose",
  "docker-compose",
  "podman",
]
  .flatMap((program) => [`${program} run`, `${program} exec`])
  .map((words) => ({ words, values: CONTAINER_VALUES, skips: 1 }));

/** Programs that run what follows, and return its status. */
export const WRAPPERS: readonly Wrapper[] = [
  { words: "uv run", values: UV_VALUES },
  { words: "uv tool run", values: UV_VALUES },
  { words: "uvx", values: UV_VALUES },
  { words: "pipx run", values: "--spec --python --pip-args --index-url" },
  { words: "poetry run", values: "-C --directory -P --project" },
  { words: "pdm run", values: "-p --project -e --environment", isRunner: true },
  { words: "pipenv run" },
  { words: "rye run", isRunner: true },
  { words: "hatch run", values: "-e --env", isRunner: true },
  { words: "hatch env run", values: "-e --env -i -x" },
  { words: "pixi run", values: "-e --environment --manifest-path -p --platform", isRunner: true },
  { words: "pixi exec", values: "-s --spec -c --channel" },
  { words: "conda run", values: "-n --name -p --prefix --cwd" },
  { words: "mamba run", values: "-n --name -p --prefix --cwd" },
  { words: "micromamba run", values: "-n --name -p --prefix --cwd" },
  { words: "npx", values: "-p --package -w --workspace" },
  { words: "npm exec", values: "-p --package -w --workspace" },
  { words: "npm x", values: "-p --package -w --workspace" },
  { words: "pnpx" },
  { words: "pnpm exec", values: "--filter -F -C --dir" },
  { words: "pnpm dlx", values: "--package" },
  { words: "yarn exec" },
  { words: "yarn dlx", values: "-p --package" },
  { words: "bunx", values: "-p --package" },
  { words: "bun x", values: "-p --package" },
  { words: "bundle exec" },
  { words: "mise exec", values: "-C --cd" },
  { words: "mise x", values: "-C --cd" },
  { words: "direnv exec", skips: 1 },
  { words: "nix develop --command" },
  { words: "nix develop -c" },
  { words: "xvfb-run", values: "-e -f -n -p -s --server-args --server-num" },
  { words: "sudo", values: "-u --user -g --group -C -D --chdir -h -p -r -t -T" },
  { words: "env", values: "-u --unset -C --chdir" },
  { words: "cross-env" },
  { words: "dotenv", values: "-e -f" },
  { words: "timeout", values: "-k --kill-after -s --signal", skips: 1 },
  { words: "nice", values: "-n --adjustment" },
  { words: "ionice", values: "-c --class -n --classdata" },
  { words: "stdbuf", values: "-i -o -e" },
  { words: "nohup" },
  { words: "setsid" },
  { words: "command" },
  { words: "builtin" },
  { words: "exec", values: "-a" },
  { words: "time", values: "-f -o" },
  { words: "xargs", values: "-n -P -I -L -s -d -a -E --max-args --max-procs --delimiter" },
  { words: "coverage run -m" },
  {
    words: "deno run",
    values: "-c --config --import-map --lock --cert --env-file --node-modules-dir",
  },
  { words: "deno x" },
  { words: "doppler run", values: "-p --project -c --config -t --token" },
  { words: "dotenvx run", values: "-f --env-file" },
  { words: "fnm exec", values: "--using" },
  { words: "volta run", values: "--node --npm --yarn --pnpm" },
  ...CONTAINER_WRAPPERS,
];

/** Programs that run named tasks, with the options that have a value behind them. */
export const TASK_RUNNERS: readonly (Wrapper & { readonly takesMany?: true })[] = [
  { words: "deno task", values: "-c --config --cwd --filter -f" },
  ...["run", "run-script"].map((it) => ({
    words: `npm ${it}`,
    values: "-w --workspace --prefix -C",
  })),
  { words: "pnpm run", values: "--filter -F -C --dir" },
  { words: "pnpm", values: "--filter -F -C --dir" },
  { words: "yarn run", values: "--cwd" },
  { words: "yarn workspaces foreach", values: "--include --exclude --from -j" },
  { words: "yarn workspaces run" },
  { words: "yarn workspace", skips: 1 },
  { words: "yarn", values: "--cwd" },
  { words: "bun run", values: "--filter --cwd -F" },
  { words: "bun", values: "--filter --cwd" },
  { words: "make", values: "-C --directory -f --file --makefile -I -o -W", takesMany: true },
  { words: "gmake", values: "-C --directory -f --file --makefile -I -o -W", takesMany: true },
  { words: "just", values: "-f --justfile -d --working-directory", takesMany: true },
  { words: "task", values: "-d --dir -t --taskfile", takesMany: true },
  { words: "poe", values: "-C --directory" },
  { words: "invoke", values: "-r --search-root -c --collection", takesMany: true },
  { words: "inv", values: "-r --search-root -c --collection", takesMany: true },
  { words: "mise run", values: "-C --cd" },
  { words: "mise r", values: "-C --cd" },
  { words: "turbo run", values: "--filter -F --cwd", takesMany: true },
  { words: "turbo", values: "--filter -F --cwd", takesMany: true },
  { words: "nx run-many", values: "-p --projects" },
  { words: "nx", values: "-p --projects", takesMany: true },
  { words: "lerna run", values: "--scope --ignore" },
  { words: "rake", takesMany: true },
  { words: "mage", takesMany: true },
  ...["gradle", "gradlew"].map((words) => ({
    words,
    values: "-p --project-dir -b --build-file -c -x --exclude-task -I",
    takesMany: true as const,
  })),
  ...["mvn", "mvnw"].map((words) => ({
    words,
    values: "-f --file -pl --projects -P -s --settings",
    takesMany: true as const,
  })),
];

/** Words by which a task, or a script, says that it checks. */
export const CHECKING_TASKS =
  "test tests lint linter linters check checks fmt:check format:check typecheck type-check audit " +
  "verify validate ok ci-test unit-test unittest e2e";
const CHECKING_TASK = new RegExp(
  `^(?:${CHECKING_TASKS.split(" ").join("|")})(?:$|[:_.-])|[:_-](?:test|tests|lint|check|audit)$`,
);
/** Words by which a task's name says that it prepares or repairs. */
const OTHER_TASK =
  /[:_-](?:data|deps|env|fix|fixtures?|helpers?|image|install|report|server|setup|utils?)$/;

/** Actions that check and do not say it by their names. */
export const CHECKING_ACTIONS: readonly string[] = [
  "actions/dependency-review-action",
  "astral-sh/ruff-action",
  "embarkstudios/cargo-deny-action",
  "fsfe/reuse-action",
  "julia-actions/julia-runtest",
  "obi1kenobi/cargo-semver-checks-action",
  "ossf/scorecard-action",
  "pre-commit/action",
  "psf/black",
  "reviewdog/action-suggester",
];
const CHECKING_ACTION =
  /(?:^|[/_-])(?:lint|linter|linters|test|tests|check|scan|scanner|scanning|audit|analyze)(?:$|[/_.-])/;
/** Words by which an action's name says that it prepares or reports. */
const OTHER_ACTION =
  /^wntrblm\/nox$|(?:^|[/_-])(?:setup|install|installer|cache|upload|download|publish|publisher|report|reporter|reports|result|results|summary|comment|badge|annotate|wait|coverage)(?:$|[/_.-])/;

/** Programs whose names are words of their own. */
const COMMON_WORDS = ["safety", "standard", "tap", "ty", "xo"];

/** Most words of a command that are looked at. */
const MAX_WORDS = 64;
/** Most programs that run each other in one command. */
const MAX_WRAPPERS = 12;
/** Longest script that a command gives to a shell, in UTF-16 code units. */
const MAX_SCRIPT = 4096;

const SHELL = /^(?:ba|da|z|k)?sh$/;
const INTERPRETER = /^(?:python|pypy|node|ruby|perl|php|pwsh|powershell|tsx|ts-node)$/;
const SCRIPT_NAME = /\.(?:sh|bash|py|[cm]?[jt]s|rb|pl|php|ps1)$/;

/** The program's name: without its directory, its extension on Windows, and its version. */
function nameOf(word: string): string {
  const name = word.replace(/^npm:/, "").replace(/(?<=.)@[^/]*$/, "");
  return name.slice(name.lastIndexOf("/") + 1).replace(/\.(?:exe|cmd|bat)$/i, "")
    .replace(/^(python|pypy)\d+(?:\.\d+)*$/, "$1").replace(/^py$/, "python");
}

/** The wrappers by their program, since a script may hold very many commands. */
const WRAPPERS_OF = Map.groupBy(WRAPPERS, ({ words }) => words.split(" ", 1)[0]);

/** A command taken apart: its options skipped. */
interface Split {
  readonly options: readonly string[];
  readonly positionals: readonly string[];
}

/** `-x`, `--x`, and what `cargo +nightly` and `hatch run +py=3.12` choose. */
function isOption(word: string): boolean {
  return /^(?:-.|\+\w)/.test(word);
}

function splitOptions(words: readonly string[], values: readonly string[]): Split {
  const options: string[] = [];
  const positionals: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") continue;
    if (!isOption(word)) positionals.push(word);
    else {
      options.push(word);
      if (values.includes(word)) i++;
    }
  }
  return { options, positionals };
}

/** How many words of a command are those of a wrapper or runner, options between them skipped. */
function matchWords(
  words: readonly string[],
  { words: pattern, values = "" }: Wrapper,
): number | null {
  const wanted = pattern.split(" ");
  let next = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (next === 0 ? nameOf(word) === wanted[0] : word === wanted[next]) {
      if (++next === wanted.length) return i + 1;
    } else if (next === 0 || !word.startsWith("-")) {
      return null;
    } else if (values.split(" ").includes(word)) i++;
  }
  return null;
}

/** What stands behind the options of a wrapper. */
function skipOptions(words: readonly string[], { values = "", skips = 0 }: Wrapper): string[] {
  const withValue = values.split(" ");
  let i = 0;
  while (i < words.length) {
    const word = words[i] ?? "";
    if (!isOption(word) && !/^[A-Za-z_]\w*=/.test(word)) break;
    i += withValue.includes(word) ? 2 : 1;
    if (word === "--") break;
  }
  return words.slice(i + skips);
}

/** The command that a command runs; null where it runs none, or that is not known. */
export function unwrapOnce(words: readonly string[]): readonly string[] | null {
  const [program = "", ...rest] = words;
  if (/^[A-Za-z_]\w*=/.test(program)) return rest;
  if (nameOf(program) === "python") {
    const module = findModule(rest);
    // The modules of Python itself are no programs.
    return ["unittest", "doctest"].includes(module?.[0] ?? "") ? null : module;
  }
  if (program === "command" && /^-[vV]$/.test(rest[0] ?? "")) return null;
  for (const wrapper of WRAPPERS_OF.get(nameOf(program)) ?? []) {
    const length = matchWords(words, wrapper);
    if (length !== null) return skipOptions(words.slice(length), wrapper);
  }
  return null;
}

/** What `python -m` runs, `python -X dev -Im` included; null where it runs something else. */
function findModule(words: readonly string[]): readonly string[] | null {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (/^-[A-Za-z]*m$/.test(word)) return words.slice(i + 1);
    if (!/^-[\w.]/.test(word) || /^-[A-Za-z]*c$/.test(word)) return null;
    if (/^-[A-Za-z]*[WX]$/.test(word)) i++;
  }
  return null;
}

/** The script of `bash -c SCRIPT`, `eval SCRIPT` and the like; null where there is none. */
function findInnerScript([program = "", ...rest]: readonly string[]): string | null {
  const name = nameOf(program);
  if (name === "eval") return rest.join(" ");
  const flag = SHELL.test(name)
    ? rest.findIndex((word) => /^-[a-zA-Z]*c$/.test(word))
    : /^(?:npx|pwsh|powershell)$/.test(name)
    ? rest.findIndex((word) => /^(?:-c|--call|-Command)$/i.test(word))
    : -1;
  return flag < 0 ? null : rest[flag + 1] ?? null;
}

/** A command, what it runs, and what that runs: outermost first. */
type Chain = readonly (readonly string[])[];

/**
 * Lists what a command comes to: one chain, or one for each command of a script that it holds.
 *
 * @param words The command
 * @param depth How many programs led here
 */
export function unwrapCommand(words: readonly string[], depth = 0): Chain[] {
  const own = words.slice(0, MAX_WORDS);
  if (own.length === 0) return [];
  if (depth >= MAX_WRAPPERS) return [[own]];
  const script = findInnerScript(own);
  const inner = script !== null
    ? listCommands(script.slice(0, MAX_SCRIPT)).map((command) => command.words)
    : [unwrapOnce(own) ?? []];
  // A script in a script in a script is no accident.
  const next = script === null ? depth + 1 : depth + MAX_WRAPPERS / 2;
  const chains = inner.flatMap((command) => unwrapCommand(command, next));
  return chains.length === 0 ? [[own]] : chains.map((chain) => [own, ...chain]);
}

/**
 * One spelling for all commands that mean the same: what wrappers run counts, and `npm t` is
 * `npm run test`.
 *
 * @param words The command
 */
export function canonicalCommand(words: readonly string[]): string {
  const chains = unwrapCommand(words);
  return canonicalWords(chains.length === 1 ? chains[0]?.at(-1) ?? words : words);
}

function canonicalWords(words: readonly string[]): string {
  const [program = "", verb = "", ...rest] = words;
  if (!/^(?:npm|pnpm|yarn|bun)$/.test(program)) return JSON.stringify(words);
  if (/^(?:run|run-script)$/.test(verb)) return JSON.stringify([program, "run", ...rest]);
  const isTest = /^(?:t|tst|test)$/.test(verb) && program !== "bun";
  return JSON.stringify(isTest ? [program, "run", "test", ...rest] : words);
}

/** What a policy says of checks, beside the tables. */
export interface CheckerRules {
  /** The first words of commands that check as well. */
  readonly added: readonly (readonly string[])[];
  /** Commands that are no extra gate, in their one spelling. */
  readonly allowed: ReadonlySet<string>;
  /** What was found in scripts, by their text. */
  readonly scripts: Map<string, string | null>;
}

/**
 * Whether a command is known to check something and to fail where it does not hold.
 *
 * @param words The command, without assignments before it
 * @param rules What the policy adds and allows
 */
export function isChecker(
  words: readonly string[],
  { added, allowed }: Pick<CheckerRules, "added" | "allowed">,
): boolean {
  return unwrapCommand(words).some((chain) =>
    !chain.some((layer) => allowed.has(canonicalWords(layer))) &&
    chain.some((layer) => isChecking(layer, added))
  );
}

function isChecking(words: readonly string[], added: CheckerRules["added"]): boolean {
  const [word = "", ...rest] = words;
  const program = nameOf(word);
  if (rest.some((it) => it === "--help" || it === "--version")) return false;
  if (matchesRows(HARMLESS_COMMANDS, program, rest)) return false;
  return added.some((start) => matchesAdded(words, start)) ||
    CHECKING_PROGRAMS.includes(program) || matchesRows(CHECKING_COMMANDS, program, rest) ||
    runsTask(words) || runsScript(word, rest) || runsCode(program, rest) || runsImage(words);
}

function matchesRows(
  table: Readonly<Record<string, string>>,
  program: string,
  words: readonly string[],
): boolean {
  const rows = Object.hasOwn(table, program) ? table[program] : undefined;
  return rows?.split("|").some((row) => matchesRow(row.split(" "), words)) ?? false;
}

/** The policy's own checkers: the same program, and the same words behind it, options skipped. */
function matchesAdded(words: readonly string[], start: readonly string[]): boolean {
  const [program = "", ...rest] = words;
  const [wanted = "", ...first] = start;
  if (program !== wanted && (wanted.includes("/") || nameOf(program) !== wanted)) return false;
  return first.length === 0 || matchesRow(first, rest);
}

function matchesRow(row: readonly string[], words: readonly string[]): boolean {
  const [first = ""] = words;
  if (row[0] === "-m") return findModule(words)?.[0] === row[1];
  const { options, positionals } = splitOptions(words, []);
  const flags = row.filter((word) => word.startsWith("-"));
  const names = row.filter((word) => !word.startsWith("-"));
  const hasFlags = flags.every((flag) =>
    options.some((it) => it === flag || it.startsWith(`${flag}=`))
  );
  const isNamed = (at: number): boolean =>
    names.every((name, i) => positionals[at + i]?.replace(/^.*\//, "") === name);
  // The value of an option may stand first: which have one differs from program to program.
  return hasFlags && (isNamed(0) || (/^[-+]/.test(first) && isNamed(1)));
}

function isCheckingTask(name: string): boolean {
  const own = name.replace(/^.*(?<=.):(?=(?:test|lint|check)s?$)/, "");
  return (CHECKING_TASK.test(name) || CHECKING_TASK.test(own)) && !OTHER_TASK.test(name);
}

function runsTask(words: readonly string[]): boolean {
  const [program = ""] = words;
  const { positionals } = splitOptions(words.slice(1), ["--prefix", "-w", "--workspace", "-C"]);
  const isNpm = /^(?:npm|pnpm|yarn|bun)$/.test(nameOf(program));
  if (isNpm && /^(?:t|tst|test)$/.test(positionals[0] ?? "")) return true;
  const runners = WRAPPERS.filter(({ isRunner }) => isRunner);
  return [...TASK_RUNNERS, ...runners].some((runner) => {
    const length = matchWords(words, runner);
    if (length === null) return false;
    const values = (runner.values ?? "").split(" ");
    const behind = splitOptions(words.slice(length), values).positionals.slice(runner.skips ?? 0);
    const found = isNpm && behind[0] === "run" ? behind.slice(1) : behind;
    const names = "takesMany" in runner ? found : found.slice(0, 1);
    const target = /(?:^| )(?:-t|--targets?)[ =](\S+)/.exec(words.join(" "))?.[1];
    return [...names, ...target === undefined ? [] : target.split(",")]
      .some((name) => isCheckingTask(name) || isCheckingTask(name.replace(/^[^:]*:/, "")));
  });
}

/** A script of the project whose name says that it checks: `scripts/check`, `bash ci/lint.sh`. */
function runsScript(word: string, rest: readonly string[]): boolean {
  const name = nameOf(word);
  const isRun = SHELL.test(name) || INTERPRETER.test(name);
  const path = isRun ? rest.find((it) => !it.startsWith("-")) ?? "" : word;
  const isScript = isRun ? path !== "" : path.includes("/") || SCRIPT_NAME.test(path);
  if (!isScript || /\s/.test(path) || /^\/(?:usr|bin|opt)\//.test(path)) return false;
  return isCheckingTask(path.slice(path.lastIndexOf("/") + 1).replace(SCRIPT_NAME, ""));
}

/** Code on the command line of R or Julia. */
function runsCode(program: string, words: readonly string[]): boolean {
  return /^(?:Rscript|R|julia)$/.test(program) &&
    words.some((word, i) =>
      (/^(?:-e|--eval)$/.test(words[i - 1] ?? "") || /^(?:-e|--eval=)./.test(word)) &&
      CHECKING_CALL.test(word)
    );
}

/** An image that is named for the program in it: `docker run --rm hadolint/hadolint`. */
function runsImage(words: readonly string[]): boolean {
  return CONTAINER_WRAPPERS.some((wrapper) => {
    const length = matchWords(words, wrapper);
    if (length === null) return false;
    const [image = ""] = skipOptions(words.slice(length), { ...wrapper, skips: 0 });
    return isCheckingImage(image);
  });
}

function isCheckingImage(image: string): boolean {
  const name = /([^/:@]*)(?:[:@][^/]*)?$/.exec(image)?.[1] ?? "";
  return CHECKING_PROGRAMS.includes(name) && !COMMON_WORDS.includes(name);
}

/** Actions that are a command under another name. */
const COMMANDS_OF_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  "pre-commit/action": ["pre-commit", "run"],
  "j178/prek-action": ["prek", "run"],
};

/**
 * The command that an action runs, where that is known.
 *
 * @param uses The step's `uses`
 * @param extra Its input `extra_args` or `extra-args`, or null
 */
export function commandOfAction(uses: string, extra: string | null): readonly string[] | null {
  const name = nameOfAction(uses);
  const words = Object.hasOwn(COMMANDS_OF_ACTIONS, name) ? COMMANDS_OF_ACTIONS[name] : undefined;
  return words === undefined ? null : [...words, ...(extra ?? "--all-files").trim().split(/\s+/)];
}

function nameOfAction(uses: string): string {
  return (uses.split("@", 1)[0] ?? "").trim().toLowerCase();
}

/**
 * Whether an action is known, or says by its name, that it checks something.
 *
 * @param uses The step's `uses`
 */
export function isCheckingAction(uses: string): boolean {
  const name = nameOfAction(uses);
  if (name.startsWith("docker://")) return isCheckingImage(name.slice("docker://".length));
  if (name.startsWith("./")) return false;
  if (CHECKING_ACTIONS.includes(name)) return true;
  if (OTHER_ACTION.test(name)) return false;
  const words = name.split(/[/_.-]/);
  return CHECKING_ACTION.test(name) ||
    words.some((word) =>
      !COMMON_WORDS.includes(word) && [...CHECKING_PROGRAMS, "biome", "prek", "ruff"].includes(word)
    ) ||
    CHECKING_PROGRAMS.some((program) => program.includes("-") && name.includes(program));
}
