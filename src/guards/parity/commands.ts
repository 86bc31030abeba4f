/**
 * Which commands check something: options are skipped, and the programs that run others are seen
 * through.
 *
 * @module
 */

import { listCommands } from "../actions/steps.ts";

/** Programs that check and do nothing else. */
export const CHECKING_PROGRAMS: readonly string[] =
  ("actionlint ansible-lint attw autoflake ava bandit basedpyright bats behave brakeman " +
    "buf-lint bundler-audit check-manifest check-wheel-contents checkov clang-tidy codespell " +
    "commitlint cppcheck cspell ctest cypress depcheck deptry detect-secrets djlint doc8 " +
    "errcheck eslint flake8 gitleaks gitlint golangci-lint gosec gotestsum govulncheck " +
    "hadolint ineffassign interrogate jasmine jest karma knip ktlint kube-linter kube-score " +
    "kubeconform kubeval linkchecker lint-imports luacheck lychee markdownlint " +
    "markdownlint-cli2 megalinter mocha mypy nose2 nox osv-scanner oxlint pest phpcs phpstan " +
    "phpunit pip-audit protolint psalm publint py.test pycodestyle pydocstyle pyflakes pylama " +
    "pylint pyrefly pyright pyroma pytest revive rspec rubocop safety semgrep shellcheck " +
    "slotscheck standard standardrb staticcheck stylelint svelte-check swiftlint tap textlint " +
    "tflint tfsec tox trivy trufflehog ty typos vale validate-pyproject vitest vulture xo " +
    "yamllint zizmor").split(" ");

/**
 * Programs that check where their words say so: words in their order, options skipped; what starts
 * with `-` must be among the options. `|` separates what a row stands for.
 */
export const CHECKING_COMMANDS: Readonly<Record<string, string>> = {
  alembic: "check",
  "ansible-playbook": "--syntax-check",
  autopep8: "--diff",
  bazel: "test",
  bazelisk: "test",
  biome: "check|ci|lint",
  black: "--check|--diff",
  buf: "lint|breaking|format --exit-code",
  bun: "test|audit",
  cabal: "test",
  cargo:
    "test|clippy|check|nextest|deny|audit|insta test|hack|miri test|llvm-cov|fmt --check|semver-checks|t|c|careful test|machete|tarpaulin|udeps|vet",
  "clang-format": "--dry-run|-n",
  composer: "test|check|lint|validate|audit",
  conftest: "test|verify",
  coverage: "run|report --fail-under",
  cross: "test|clippy|check",
  ct: "lint",
  cz: "check",
  dart: "test|analyze|format --set-exit-if-changed",
  dbt: "test",
  deno: "test|lint|check|fmt --check|doc --lint|audit",
  "diff-cover": "--fail-under",
  django: "test|check",
  "django-admin": "test|check",
  docformatter: "--check",
  dotnet: "test|format --verify-no-changes",
  dprint: "check",
  dune: "runtest|test",
  flutter: "test|analyze",
  forge: "test",
  git: "diff --exit-code|diff --quiet|diff-index --quiet|diff --check",
  go: "test|vet|mod verify|mod tidy -diff",
  gofmt: "-l|-d",
  gofumpt: "-l|-d",
  hatch: "test|fmt --check",
  helm: "lint|unittest",
  isort: "--check|--check-only|--diff|-c",
  lefthook: "run",
  lein: "test",
  "manage.py": "test|check|makemigrations --check",
  mdformat: "--check",
  meson: "test",
  mix: "test|credo|dialyzer|format --check-formatted",
  molecule: "test",
  next: "lint",
  "nf-core": "lint",
  "nf-test": "test",
  ng: "test|lint|e2e",
  ninja: "test",
  nix: "flake check",
  node: "--test|--run test|--run lint|--run check",
  npm: "audit|it|install-test|cit|install-ci-test",
  opa: "test|check",
  packer: "validate",
  pants: "test|lint|check",
  pdm: "lock --check",
  php: "artisan test",
  "php-cs-fixer": "--dry-run",
  pint: "--test",
  pip: "check",
  playwright: "test",
  pnpm: "audit|dedupe --check",
  poetry: "check|lock --check",
  "pre-commit": "run",
  prek: "run",
  prettier: "--check|--list-different|-c|-l",
  python:
    "manage.py test|manage.py check|manage.py makemigrations --check|setup.py test|-m unittest|-m doctest",
  R: "CMD check",
  rails: "test",
  rake: "test|spec",
  "react-scripts": "test",
  rector: "--dry-run",
  redocly: "lint",
  reuse: "lint",
  ruff: "check|format --check|format --diff",
  rustfmt: "--check",
  rye: "test|lint|fmt --check",
  shfmt: "-d|-l",
  snakefmt: "--check|--diff",
  snakemake: "--lint",
  snyk: "test",
  spectral: "lint",
  "sphinx-build": "-b linkcheck|-b doctest",
  sqlfluff: "lint",
  stack: "test",
  stylua: "--check",
  swift: "test",
  taplo: "lint|check|fmt --check",
  terraform: "fmt -check|validate|test",
  tofu: "fmt -check|validate|test",
  tsc: "--noEmit",
  tsx: "--test",
  twine: "check",
  uv: "lock --check|lock --locked|pip check",
  "vue-tsc": "--noEmit",
  yapf: "--diff|-d",
  yarn: "audit|npm audit|dedupe --check|constraints",
  zig: "test|build test",
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
  ctest: "-N|--show-only",
  cypress: "install|verify|info|cache|version|open",
  deno: "test --no-run",
  eslint: "--print-config|--init|--env-info",
  go: "test -c",
  "golangci-lint": "cache|config|custom|version|help|linters|completion|fmt|migrate",
  gradle: "--dry-run",
  gradlew: "--dry-run",
  jest: "--listTests|--clearCache|--showConfig|--init",
  just: "-n|--dry-run|--list|-l|--summary|--show",
  make: "-n|--dry-run|--just-print|--recon",
  npm: "audit fix",
  nox: "--list|-l|--list-sessions|--install-only",
  pnpm: "audit --fix",
  pytest: "--fixtures|--markers|--collect-only|--co",
  task: "-n|--dry|--list|-l|--list-all",
  tflint: "--init",
  tox: "--notest|--list|--listenvs|--listenvs-all|-l|-a|--showconfig|list|config|devenv|l|c|d",
  trivy: "version|clean|plugin|--download-db-only",
  vale: "sync|ls-config|ls-dirs",
};

/** How a program that runs another is called, and which of its options have a value behind them. */
export interface Wrapper {
  readonly words: string;
  readonly values?: string;
  /** How many words stand between its options and the command. */
  readonly skips?: number;
  /** Whether the word behind it may be the name of a task. */
  readonly isRunner?: true;
  /** Whether its last word may stand behind others, as `-exec` does. */
  readonly isApart?: true;
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
  "docker container",
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
  { words: "pipenv run", isRunner: true },
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
  ...["nix develop", "nix shell"].flatMap((it) =>
    ["--command", "-c"].map((flag) => ({ words: `${it} ${flag}`, isApart: true as const }))
  ),
  ...["-exec", "-execdir"].map((flag) => ({ words: `find ${flag}`, isApart: true as const })),
  { words: "go run", values: "-C -tags -mod" },
  { words: "go tool" },
  { words: "xvfb-run", values: "-e -f -n -p -s --server-args --server-num" },
  { words: "sudo", values: "-u --user -g --group -C -D --chdir -h -p -r -t -T" },
  { words: "env", values: "-u --unset -C --chdir" },
  { words: "cross-env" },
  { words: "dotenv", values: "-e -f" },
  { words: "timeout", values: "-k --kill-after -s --signal", skips: 1 },
  { words: "nice", values: "-n --adjustment" },
  { words: "ionice", values: "-c --class -n --classdata" },
  { words: "stdbuf", values: "-i -o -e" },
  { words: "runuser", values: "-u --user -g --group" },
  { words: "gosu", skips: 1 },
  { words: "flock", values: "-w --timeout -E", skips: 1 },
  { words: "chronic" },
  { words: "dbus-run-session" },
  { words: "unbuffer" },
  { words: "call" },
  { words: "nyc", values: "--reporter -r --report-dir" },
  { words: "c8", values: "--reporter -r --reports-dir" },
  { words: "mpirun", values: "-n -np --np -c" },
  { words: "mpiexec", values: "-n -np --np -c" },
  { words: "parallel", values: "-j --jobs" },
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
  { words: "go-task", values: "-d --dir -t --taskfile", takesMany: true },
  { words: "cargo make", values: "-p --profile --makefile" },
  { words: "composer run", values: "-d --working-dir" },
  { words: "composer run-script", values: "-d --working-dir" },
  { words: "devbox run", values: "-c --config" },
  { words: "melos run" },
  { words: "run-s", takesMany: true },
  { words: "run-p", takesMany: true },
  { words: "npm-run-all", takesMany: true },
  { words: "sbt", takesMany: true },
  {
    words: "xcodebuild",
    values: "-scheme -project -workspace -destination -sdk -configuration -derivedDataPath",
    takesMany: true,
  },
  // Its tasks are targets alone.
  { words: "cmake", skips: Infinity },
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
  "verify validate ok ci-test unit-test unittest e2e runtests run-tests run_tests";
const CHECKING_TASK = new RegExp(
  `^(?:${CHECKING_TASKS.split(" ").join("|")})(?:$|[:_.-])|[:_-](?:test|tests|lint|check|audit)$`,
);
/** Words by which a task's name says that it prepares or repairs. */
const OTHER_TASK =
  /^(?:assemble|compile|install|package|process)[:_-].*test$|[:_-](?:classes|compile|data|deps|env|fix|fixtures?|helpers?|image|install|report|server|setup|utils?)$/;

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
const COMMON_WORDS = ["behave", "pest", "revive", "safety", "standard", "tap", "ty", "xo"];

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
  const name = word.replace(/^npm:/, "").replace(/(?<=.)(?:@[^/]*|(?:\[|[=~!]=|[<>]).*)$/, "");
  return name.slice(name.lastIndexOf("/") + 1).replace(/\.(?:exe|cmd|bat)$/i, "")
    .replace(/^(python|pypy)\d+(?:\.\d+)*$/, "$1").replace(
      /^(?:py|\$\{?\w*python\w*(?::?-[^}]*)?\}?)$/i,
      "python",
    );
}

/** Runners of tasks that run the programs of packages as well. */
export const BINARY_RUNNERS: readonly string[] = ["yarn run", "yarn", "pnpm", "bun run", "bun"];

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
  { words: pattern, values = "", isApart }: Wrapper,
): number | null {
  const wanted = pattern.split(" ");
  let next = 0;
  // The value of an option may stand between: which have one differs from program to program.
  let mayBeValue = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (next === 0 ? nameOf(word) === wanted[0] : word === wanted[next]) {
      if (++next === wanted.length) return i + 1;
      mayBeValue = false;
    } else if (isApart === true && next > 0) continue;
    else if (!word.startsWith("-")) {
      if (!mayBeValue) return null;
      mayBeValue = false;
    } else if (values.split(" ").includes(word)) i++;
    else mayBeValue = !word.includes("=");
  }
  return null;
}

/** What stands behind the options of a wrapper. */
function skipOptions(words: readonly string[], { values = "", skips = 0 }: Wrapper): string[] {
  const withValue = values.split(" ");
  let i = 0;
  while (i < words.length) {
    const word = words[i] ?? "";
    if (!isOption(word) && !/^[A-Za-z_]\w*=(?!=)/.test(word)) break;
    i += withValue.includes(word) ? 2 : 1;
  }
  return words.slice(i + skips);
}

/** The command that a command runs; null where it runs none, or that is not known. */
export function unwrapOnce(words: readonly string[]): readonly string[] | null {
  const [program = "", ...rest] = words;
  if (/^[A-Za-z_]\w*=(?!=)/.test(program)) return rest;
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
  return findBinary(words);
}

/** A known program among those that `yarn eslint`, `pnpm eslint` and `bun run eslint` find. */
function findBinary(words: readonly string[]): readonly string[] | null {
  if (!/^(?:yarn|pnpm|bun)$/.test(nameOf(words[0] ?? ""))) return null;
  for (const runner of TASK_RUNNERS.filter((it) => BINARY_RUNNERS.includes(it.words))) {
    const length = matchWords(words, runner);
    const inner = length === null ? [] : skipOptions(words.slice(length), runner);
    const [program = ""] = inner;
    if (CHECKING_PROGRAMS.includes(program) || Object.hasOwn(CHECKING_COMMANDS, program)) {
      return inner;
    }
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
  const flag = SHELL.test(name) || name === "su"
    ? rest.findIndex((word) => /^-[a-zA-Z]*c$/.test(word))
    : /^(?:npx|pwsh|powershell|nix-shell)$/.test(name)
    ? rest.findIndex((word) => /^(?:-c|--call|-Command|--run|--command)$/i.test(word))
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

/** What lets a program tell of itself, where it stands alone; `ctest -V` runs all tests and tells more. */
const TELLING = /^(?:-V|-h|version|help)$/;

function isChecking(words: readonly string[], added: CheckerRules["added"]): boolean {
  const [word = "", ...rest] = words;
  const program = nameOf(word);
  if (rest.some((it) => it === "--help" || it === "--version")) return false;
  if (rest.length === 1 && TELLING.test(rest[0] ?? "") && program !== "ctest") return false;
  if (matchesRows(HARMLESS_COMMANDS, program, rest)) return false;
  const script = scriptOf(words);
  return added.some((start) => matchesAdded(words, start) || matchesAdded(script, start)) ||
    CHECKING_PROGRAMS.includes(program) || matchesRows(CHECKING_COMMANDS, program, rest) ||
    runsTask(words) || runsScript(word, script[0] ?? "") || runsCode(program, rest) ||
    runsImage(words);
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
  return matchesRow(first, rest);
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
  // The value of an option may stand first, as in what is run.
  return hasFlags && (isNamed(0) || (first.startsWith("-") && isNamed(1)));
}

/** `testDebug` is read as `test-debug`. */
function isCheckingTask(written: string): boolean {
  const name = written.replace(/(?<=[a-z\d])(?=[A-Z])/g, "-").toLowerCase();
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
    // What a program does, its own words tell.
    const isTask = findBinary(words) === null;
    return [...names, ...target === undefined ? [] : target.split(",")]
      .some((name) =>
        isCheckingTask(name) || isCheckingTask(name.replace(/^[^:]*:/, "")) ||
        (isTask && isToolName(name))
      );
  });
}

/** Whether a task or script is named for a program that checks. */
function isToolName(name: string): boolean {
  return CHECKING_PROGRAMS.includes(name) && !COMMON_WORDS.includes(name);
}

/** A script of the project whose name says that it checks: `scripts/check`, `bash ci/lint.sh`. */
function runsScript(word: string, path: string): boolean {
  const name = nameOf(word);
  const isRun = SHELL.test(name) || INTERPRETER.test(name);
  const isScript = isRun || path.includes("/") || SCRIPT_NAME.test(path);
  if (!isScript || /\s/.test(path) || /^\/(?:usr|bin|opt)\//.test(path)) return false;
  const own = path.slice(path.lastIndexOf("/") + 1).replace(SCRIPT_NAME, "");
  return isCheckingTask(own) || isToolName(own);
}

/** A command from the script on that a shell or an interpreter is given to run, or reads in. */
function scriptOf(words: readonly string[]): readonly string[] {
  const [word = "", ...rest] = words;
  const name = nameOf(word);
  const isRun = SHELL.test(name) || INTERPRETER.test(name) || /^(?:\.|source)$/.test(word);
  if (!isRun) return words;
  const start = rest.findIndex((it) => !it.startsWith("-"));
  return start < 0 ? [] : rest.slice(start);
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

/** Tools that check, and whose actions say it by the tool's name alone. */
export const TOOLS: readonly string[] = [
  "biome",
  "prek",
  "ruff",
  "snyk",
  "sonarcloud",
  "sonarqube",
];

/** Actions that run a program with the words that they are given. */
const PROGRAMS_OF_ACTIONS: Readonly<Record<string, string>> = {
  "actions-rs/cargo": "cargo",
  "borales/actions-yarn": "yarn",
  "gradle/actions/setup-gradle": "gradle",
  "gradle/gradle-build-action": "gradle",
  "houseabsolute/actions-rust-cross": "cargo",
};

/**
 * The program that an action runs with its inputs, or an empty text where they name it themselves.
 *
 * @param uses The step's `uses`
 */
export function programOfAction(uses: string): string {
  const name = nameOfAction(uses);
  return Object.hasOwn(PROGRAMS_OF_ACTIONS, name) ? PROGRAMS_OF_ACTIONS[name] ?? "" : "";
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
  if (name.startsWith("docker://")) return isCheckingImage(name);
  if (name.startsWith("./")) return false;
  if (CHECKING_ACTIONS.includes(name)) return true;
  if (OTHER_ACTION.test(name)) return false;
  const words = name.split(/[/_.-]/);
  // Who publishes an action, such as test-room, says nothing of what it does.
  return CHECKING_ACTION.test(name.replace(/^[^/]*/, "")) ||
    words.some((word) =>
      !COMMON_WORDS.includes(word) && [...CHECKING_PROGRAMS, ...TOOLS].includes(word)
    ) ||
    CHECKING_PROGRAMS.some((program) => program.includes("-") && name.includes(program));
}
