/** Programs that check and do nothing else. */
const CHECKERS = new Set(
  ("pytest tox nox flake8 pylint mypy pyright bandit pydocstyle pycodestyle vulture " +
    "eslint jest vitest mocha ava tap xo standard stylelint knip karma cypress " +
    "golangci-lint staticcheck govulncheck shellcheck hadolint actionlint zizmor yamllint " +
    "markdownlint markdownlint-cli2 codespell typos cspell gitleaks semgrep trivy ctest rspec " +
    "rubocop phpunit phpstan ktlint swiftlint").split(" "),
);

/** Programs that check where their first arguments say so. */
const COMMANDS: readonly RegExp[] = [
  /^deno (?:test|lint|check)\b/,
  /^deno fmt\b.*--check/,
  /^deno doc\b.*--lint/,
  /^cargo (?:\+\S+ )?(?:test|clippy|check|nextest|deny|audit)\b/,
  /^cargo (?:\+\S+ )?fmt\b.*--check/,
  /^go (?:test|vet)\b/,
  /^gofmt -[ld]\b/,
  /^ruff (?:check\b|format\b.*--(?:check|diff))/,
  /^(?:black|isort|prettier|yapf)\b.*--(?:check|check-only|diff|list-different)\b/,
  /^prettier\b.* -(?:c|l)\b/,
  /^biome (?:check|ci|lint)\b/,
  /^playwright test\b/,
  /^(?:vue-)?tsc\b.*--noEmit\b/,
  /^pre-commit run\b/,
  /^coverage run\b/,
  /^python\d?(?:\.\d+)? -m (?:pytest|unittest|tox|nox|flake8|pylint|mypy|doctest)\b/,
  /^python\d?(?:\.\d+)? \S*manage\.py test\b/,
  /^(?:npm|pnpm|yarn|bun) (?:t|tst|test|audit)\b/,
  /^hatch (?:test|fmt --check)\b/,
  /^dotnet test\b/,
  /^(?:\.\/)?(?:mvnw?|gradlew?) (?:\S+ )*(?:test|check|verify|lint)\b/,
  /^(?:bundle exec )?rake (?:test|spec)\b/,
  /^composer (?:test|check|lint)\b/,
];

/** Programs that run a named task. */
const TASK_RUNNERS: readonly RegExp[] = [
  /^deno task (?:-\S+ )*(\S+)/,
  /^(?:npm|pnpm|yarn|bun) (?:run|run-script) (?:-\S+ )*(\S+)/,
  /^(?:pnpm|yarn) (\S+)/,
  /^(?:make|just|task|poe|invoke) (?:-\S+ )*(\S+)/,
  /^hatch run (?:\S+:)?(\S+)/,
];

/** Programs that run another. */
const LAUNCHERS =
  /^(?:npx|bunx|pnpm exec|pnpm dlx|yarn exec|uvx|uv run|poetry run|pdm run|pipenv run|hatch run|bundle exec|xvfb-run|sudo)(?: -\S+)* (?=\S)/;

const CHECKING_TASK =
  /^(?:test|tests|lint|linters?|check|checks|fmt:check|format:check|typecheck|type-check|audit|verify|validate|ok)(?:$|[:_-])|[:_-](?:test|tests|lint|check|audit)$/;

/** Words by which a task's name says that it prepares or repairs. */
const OTHER_TASK = /[:_-](?:build|data|deps|docs|fix|image|install|report|setup)$/;

/** Actions that check, by the words of their names. */
const CHECKING_ACTION =
  /(?:^|[/_-])(?:lint|linter|linters|test|tests|check|scan|scanner|scanning|audit|analyze)(?:$|[/_.-])/;
const CHECKING_ACTIONS = new Set([
  "actions/dependency-review-action",
  "aquasecurity/trivy-action",
  "astral-sh/ruff-action",
  "crate-ci/typos",
  "embarkstudios/cargo-deny-action",
  "gitleaks/gitleaks-action",
  "ludeeus/action-shellcheck",
  "ossf/scorecard-action",
  "pre-commit/action",
  "psf/black",
  "rhysd/actionlint",
]);
/** Words by which an action's name says that it prepares or reports. */
const OTHER_ACTION =
  /(?:^|[/_-])(?:setup|install|installer|cache|upload|download|publish|publisher|report|reporter|reports|result|results|summary|comment|badge|annotate|wait|coverage)(?:$|[/_.-])/;

/**
 * Whether a command is known to check something and to fail where it does not hold.
 *
 * @param words The command, without assignments before it
 */
export function isChecker(words: readonly string[]): boolean {
  let command = words.slice(0, 20).join(" ").slice(0, 500);
  for (let before = ""; before !== command;) {
    before = command;
    command = command.replace(LAUNCHERS, "");
  }
  const [program = ""] = command.split(" ", 1);
  if (/\s--(?:version|help)\b/.test(command)) return false;
  if (CHECKERS.has(program.slice(program.lastIndexOf("/") + 1))) return true;
  if (COMMANDS.some((pattern) => pattern.test(command))) return true;
  return TASK_RUNNERS.some((pattern) => {
    const task = pattern.exec(command)?.[1] ?? "";
    return CHECKING_TASK.test(task) && !OTHER_TASK.test(task);
  });
}

/**
 * Whether an action is known, or says by its name, that it checks something.
 *
 * @param uses The step's `uses`
 */
export function isCheckingAction(uses: string): boolean {
  const name = (uses.split("@", 1)[0] ?? "").trim().toLowerCase();
  if (name.startsWith("./") || name.startsWith("docker://")) return false;
  if (CHECKING_ACTIONS.has(name)) return true;
  return CHECKING_ACTION.test(name) && !OTHER_ACTION.test(name);
}
