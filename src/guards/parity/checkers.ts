/**
 * What is known to check something: programs, tasks by their names, actions, and the programs that
 * run others. docs/governance.md shows the tables.
 *
 * @module
 */
/** Programs that check and do nothing else. */
export const CHECKING_PROGRAMS: readonly string[] =
  ("actionlint ansible-lint autoflake ava bandit buf-lint checkov clang-tidy codespell commitlint " +
    "cppcheck cspell ctest cypress detect-secrets djlint doc8 eslint flake8 gitleaks golangci-lint " +
    "govulncheck hadolint interrogate jasmine jest karma knip ktlint kubeconform kubeval lychee " +
    "markdownlint markdownlint-cli2 mocha mypy nox osv-scanner oxlint phpcs phpstan phpunit " +
    "pip-audit psalm pycodestyle pydocstyle pylint pyright pyrefly pytest py.test rspec rubocop safety " +
    "semgrep shellcheck standard standardrb staticcheck stylelint swiftlint tap tflint tfsec tox " +
    "trivy trufflehog ty typos vitest vulture xo yamllint zizmor").split(" ");

/**
 * Programs that check where their words say so: words in their order, options skipped; what starts
 * with `-` must be among the options. `|` separates what a row stands for.
 */
export const CHECKING_COMMANDS: Readonly<Record<string, string>> = {
  biome: "check|ci|lint",
  black: "--check|--diff",
  buf: "lint|breaking|format --exit-code",
  bun: "test|audit",
  cargo: "test|clippy|check|nextest|deny|audit|insta test|hack|miri test|llvm-cov|fmt --check",
  "clang-format": "--dry-run|-n",
  composer: "test|check|lint|validate|audit",
  coverage: "run",
  dart: "test|analyze|format --set-exit-if-changed",
  dbt: "test",
  deno: "test|lint|check|fmt --check|doc --lint",
  dotnet: "test|format --verify-no-changes",
  flutter: "test|analyze",
  git: "diff --exit-code|diff --quiet|diff-index --quiet|diff --check",
  go: "test|vet",
  gofmt: "-l|-d",
  gofumpt: "-l|-d",
  hatch: "test|fmt --check",
  helm: "lint|unittest",
  isort: "--check|--check-only|--diff|-c",
  mix: "test|credo|dialyzer|format --check-formatted",
  node: "--test",
  npm: "audit",
  playwright: "test",
  pnpm: "audit",
  "pre-commit": "run",
  prek: "run",
  prettier: "--check|--list-different|-c|-l",
  python: "manage.py test|setup.py test|-m unittest|-m doctest",
  rake: "test|spec",
  ruff: "check|format --check|format --diff",
  rustfmt: "--check",
  shfmt: "-d|-l",
  snakemake: "--lint",
  sqlfluff: "lint",
  swift: "test",
  taplo: "lint|check|fmt --check",
  terraform: "fmt -check|validate|test",
  tofu: "fmt -check|validate|test",
  tsc: "--noEmit",
  "vue-tsc": "--noEmit",
  yapf: "--diff|-d",
  yarn: "audit|npm audit",
};

/** In the same form: what makes something else of a command that would check. */
export const HARMLESS_COMMANDS: Readonly<Record<string, string>> = {
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
export const CHECKING_TASK = new RegExp(
  `^(?:${CHECKING_TASKS.split(" ").join("|")})(?:$|[:_.-])|[:_-](?:test|tests|lint|check|audit)$`,
);
/** Words by which a task's name says that it prepares or repairs. */
export const OTHER_TASK =
  /[:_-](?:data|deps|env|fix|fixtures?|helpers?|image|install|report|server|setup|utils?)$/;

/** Actions that check and do not say it by their names. */
export const CHECKING_ACTIONS: readonly string[] = [
  "actions/dependency-review-action",
  "astral-sh/ruff-action",
  "embarkstudios/cargo-deny-action",
  "ossf/scorecard-action",
  "pre-commit/action",
  "psf/black",
  "reviewdog/action-suggester",
];
export const CHECKING_ACTION =
  /(?:^|[/_-])(?:lint|linter|linters|test|tests|check|scan|scanner|scanning|audit|analyze)(?:$|[/_.-])/;
/** Words by which an action's name says that it prepares or reports. */
export const OTHER_ACTION =
  /(?:^|[/_-])(?:setup|install|installer|cache|upload|download|publish|publisher|report|reporter|reports|result|results|summary|comment|badge|annotate|wait|coverage)(?:$|[/_.-])/;

/** Programs whose names are words of their own. */
export const COMMON_WORDS = ["safety", "standard", "tap", "ty", "xo"];
