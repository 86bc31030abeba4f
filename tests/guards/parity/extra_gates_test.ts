import type { Policy } from "../../../src/guards/policy.ts";
import { KprovError } from "../../../src/base/error.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { check, CI, policyFor, PURE } from "./parity_facts.ts";

/** What the guard finds beside `make check` in a workflow with more steps. */
function findBeside(steps: string, policy: Policy = policyFor("make check")): string[] {
  const text = `on: [push, pull_request]
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: ${policy.parity?.command}
${steps}`;
  return check(text, policy).map(({ code, line, message }) =>
    code === "parity.extra_gate" ? `${line} ${message}` : `${code} ${message}`
  );
}

function findScript(script: string, policy?: Policy): string[] {
  const lines = script.split("\n").map((line) => `          ${line}\n`).join("");
  return findBeside(`      - run: |\n${lines}`, policy);
}

const CHECKERS: readonly string[] = [
  "pytest",
  "pytest -x tests",
  "python -m pytest",
  "python3.12 -m pytest",
  "python -W error -m pytest",
  "uv run pytest",
  "uv run --group dev pytest",
  "uv run --python 3.12 pytest",
  "uv run -m pytest",
  "uvx --with x ruff check .",
  "pixi run test",
  "pixi run -e py312 pytest",
  "poetry run pytest",
  "hatch run dev:test",
  "npm test",
  "npm t",
  "npm run test",
  "npm run test-build",
  "npm run check:docs",
  "npm --prefix x test",
  "npm -w x run test",
  "npm audit",
  "pnpm -r test",
  "pnpm --filter x test",
  "yarn lint",
  "yarn workspace x test",
  "bun test",
  "bun run check",
  "npx eslint .",
  "npx --yes eslint .",
  "npx -p typescript tsc --noEmit",
  "npx @biomejs/biome check",
  "npx @biomejs/biome@2 ci .",
  "pnpm exec playwright test",
  "./node_modules/.bin/eslint .",
  "python -m black --check .",
  "black . --check",
  "ruff format --check",
  "prettier -c .",
  "prek run",
  "pre-commit run --all-files",
  "cargo test",
  "cargo +nightly clippy",
  "cargo insta test",
  "cargo fmt --all -- --check",
  "go vet ./...",
  "go -C tools test ./...",
  "deno lint",
  "deno fmt --check",
  "deno task check",
  "deno run -A npm:eslint .",
  "make lint",
  "make -j 4 lint test",
  "just test",
  "turbo run build test",
  "nx run-many -t test",
  "./gradlew clean test",
  "mvn -B verify",
  "scripts/check",
  "./ci/lint.sh",
  "bash scripts/test.sh",
  "python scripts/check.py",
  "git diff --exit-code",
  "git -C x diff --exit-code",
  "timeout 600 pytest",
  "timeout -k 5 600 pytest",
  "env -u X A=1 pytest",
  "sudo -u x pytest",
  "nice -n 5 pytest",
  'bash -c "pytest"',
  "bash -ec 'cd x && pytest'",
  'eval "pytest"',
  "xargs -n 1 shellcheck < list",
  "git ls-files | xargs shellcheck",
  "dbt test",
  "dbt --profiles-dir x test",
  "snakemake --lint",
  "terraform fmt -check -recursive",
  "terraform -chdir=x validate",
  "zizmor .",
  "x=$(pytest)",
  "if true; then pytest; fi",
  "if ! pytest; then exit 1; fi",
  "if pytest; then echo fine; else echo 'it fails' >&2; exit $code; fi",
  "if ! git diff --quiet; then\n  git status\n  die 'commit what was generated'\nfi",
  "if grep -q x y; then true; elif pytest; then true; else false; fi",
  "run() {\n  pytest\n}\nrun",
  "a=(x y)\npytest",
  "pytest || exit 1",
  "pytest || { echo failed; exit 1; }",
  "pytest 2>&1 | tee log",
  "cd sub\nmake check",
  "make -C sub check",
  "python -Im pytest",
  "python -X dev -m unittest discover",
  "python -m doctest README.md",
  "python -Im doctest README.md",
  "python -B -m doctest README.md",
  "npm run unit:test",
  "make help test",
  "py -3 -m pytest",
  "hatch run +py=3.12 test:run",
  "yarn workspaces foreach -A run test",
  "yarn workspace x run test",
  "rye lint",
  "lefthook run pre-commit",
  "python -m django test",
  "./manage.py makemigrations --check",
  "uv lock --check",
  "poetry check",
  "twine check dist/*",
  "ninja -C build test",
  "sphinx-build -b linkcheck docs out",
  "R CMD check --as-cran .",
  "Rscript -e 'testthat::test_local()'",
  "R -q -e 'devtools::check()'",
  "julia --project -e 'using Pkg; Pkg.test()'",
  "docker run --rm -v .:/src -w /src acme/tools pytest",
  "docker run --rm -i hadolint/hadolint:latest-debian < Dockerfile",
  "docker compose -f ci.yml run --rm app pytest",
  "podman exec -e A=1 app mypy .",
  "doppler run -p x -- pytest",
  "npx -c 'eslint .'",
  "command pytest -v",
  "timeout -k 5 600 pytest",
  "bash -e ./scripts/check --quick",
  "uvx 'ruff>=0.5' check .",
  "pipx run ruff==0.5 check .",
  "pipx run 'black[d]' --check .",
  "pipenv run test",
  "pnpm eslint .",
  "pnpm vitest run",
  "pnpm run eslint",
  "yarn eslint .",
  "yarn jest",
  "yarn tsc --noEmit",
  "yarn run eslint .",
  "yarn run tsc --noEmit",
  "bun run vitest",
  "bun run eslint .",
  "deno audit",
  "cargo t",
  "cargo c",
  "cargo tarpaulin",
  "cargo make test",
  "cross test --target x",
  "go run github.com/golangci/golangci-lint/cmd/golangci-lint@v1.60 run",
  "go run honnef.co/go/tools/cmd/staticcheck@latest ./...",
  "go tool golangci-lint run",
  "go mod verify",
  "gotestsum -- ./...",
  "docker container run --rm image pytest",
  "go-task lint",
  "npm --loglevel error run lint",
  "npm it",
  "npm install-test",
  "npm run eslint",
  "npm run jest",
  "./gradlew testDebugUnitTest",
  "./gradlew lintDebug",
  "./gradlew ktlintCheck",
  "./gradlew spotlessCheck",
  "./gradlew connectedAndroidTest",
  "ct lint --all",
  "ansible-playbook --syntax-check x.yml",
  "molecule test",
  "find . -name '*.sh' -exec shellcheck {} +",
  "$PYTHON -m pytest",
  '"$PYTHON" -m pytest',
  "coverage report --fail-under=90",
  "rails test",
  "bin/rails test",
  "composer run test",
  "composer run-script test",
  "php artisan test",
  "vendor/bin/pest",
  "vendor/bin/php-cs-fixer fix --dry-run",
  "sbt test",
  "lein test",
  "xcodebuild -scheme X -destination y test",
  "xcodebuild test -scheme X",
  "zig build test",
  "dune runtest",
  "forge test",
  "cmake --build build --target test",
  "bazelisk test //...",
  'su -c "pytest"',
  "runuser -u x -- pytest",
  "dbus-run-session -- pytest",
  "nyc npm test",
  "npx c8 node --test",
  "node node_modules/eslint/bin/eslint.js .",
  "node ./node_modules/.bin/jest",
  "run-s lint test",
  "npx npm-run-all lint test",
  "svelte-check",
  "next lint",
  "npx ng test",
  "nix develop .#ci --command pytest",
  'nix-shell --run "pytest"',
  "devbox run test",
  ". scripts/test.sh",
  "source ./scripts/lint.sh",
  "./runtests.sh",
  "pip check",
  "uv pip check",
  "yarn dedupe --check",
  "pnpm dedupe --check",
  "gosec ./...",
  "pyflakes .",
  "snyk test",
  "bash <<'EOF'\npytest\nEOF",
  "call npm test",
  "mpirun -n 2 pytest",
  "parallel pytest ::: a b",
  "melos run test",
  "docker container exec app pytest",
  "go run ./cmd/lint",
  "bash -s <<'EOF'\nmypy .\nEOF",
  'su postgres -c "pytest tests"',
  "yarn run -T eslint .",
  "pnpm biome check .",
  "yarn playwright test",
  "find src -type f -name '*.py' -exec pylint {} \\;",
  "./gradlew lintRelease testReleaseUnitTest",
  "cmake --build build --config Debug --target check",
  "${PYTHON:-python3} -m pytest",
  "uv --quiet run pytest",
  "uv --directory run run pytest",
  "timeout -v 60 pytest",
  "python -B -m pytest",
  "python -Im unittest",
  "ctest -V",
  "ctest -V -R unit",
  "npm run web:checks",
  "bash check",
  "python check",
  "xargs -- pytest",
  "echo 'open\nCI=1 pytest",
  // As many programs that run each other as are followed.
  `${"nohup ".repeat(12)}pytest`,
  `eval "eval pytest"`,
];

for (const script of CHECKERS) {
  Deno.test(`PARITY finds an extra gate: ${script.replaceAll("\n", "; ")}`, PURE, () => {
    const found = findScript(script);
    assertEquals(found.map((line) => line.split(" ", 1)[0]), ["8"], script);
  });
}

const OTHERS: readonly string[] = [
  "npm ci",
  "npm audit fix",
  "pnpm audit --fix",
  "npm run build",
  "npm run docs:build",
  "npm install eslint",
  "tox --notest",
  "tox -l",
  "nox --list",
  "yarn test-utils",
  "yarn install",
  "make test-deps",
  "make install",
  "pip install pytest",
  "apt-get install -y shellcheck",
  "uv tool install ruff",
  "uv sync --group test",
  "cargo build --features test",
  "cargo test --no-run",
  "if git diff --quiet a...HEAD -- src; then echo same; else echo changed >> out; fi",
  "if git diff --quiet; then\n  echo nothing to release\n  exit 0\nfi\nnpm publish",
  "if [ -f x ]; then echo a; elif pytest --co; then echo b; fi",
  "gradle build -x test",
  "playwright install",
  "eslint --version",
  "ruff format",
  "black .",
  "git diff",
  "terraform fmt",
  "test -f scripts/check",
  "[ -d tests ]",
  "chmod +x scripts/test.sh",
  "cat scripts/check",
  'echo "pytest"',
  "cat <<EOF\npytest\nEOF",
  "pytest || true",
  "pytest || echo failed",
  "(cd x && pytest) || true",
  'python -c "import my_test"',
  "make check",
  "timeout 600 make check",
  "command -v pytest",
  "python -c 'import x' -m pytest",
  "python build.py -m pytest",
  "docker run --rm -v ./tests:/tests -w /tests acme/tools build",
  "docker run -d --name test postgres:17",
  "docker run --rm acme/tools make check",
  "Rscript -e 'devtools::build()'",
  "uv lock",
  "poetry lock",
  "pytest --help",
  "npx -c 'tsc --version'",
  "pytest -V",
  "mypy -V",
  "golangci-lint version",
  "golangci-lint cache clean",
  "trivy version",
  "eslint -h",
  "npx cypress install",
  "npx cypress verify",
  "npx cypress info",
  "tox --listenvs",
  "make -n test",
  "make --dry-run check",
  "make test-compile",
  "mvn test-compile",
  "vale sync",
  "tflint --init",
  "ctest -N",
  "go test -c -o x ./...",
  "deno test --no-run",
  "jest --listTests",
  "jest --clearCache",
  "eslint --print-config x.js",
  "cargo +nightly run check",
  "cypress cache path",
  "nix develop .#ci --command make build",
  "find . -name '*.pyc' -exec rm {} +",
  "go run ./cmd/gen",
  "cmake --build build",
  "cmake test",
  "bash <<'EOF'\necho pytest\nEOF",
  "./gradlew assembleDebugAndroidTest",
  "gradle testClasses",
  "yarn cypress install",
  "yarn prettier --write .",
  "pip install 'pytest>=7'",
  "source .venv/bin/activate",
  "echo npm run test",
  "npm install run test",
  "npm --loglevel silent install run test",
  "npm run build test",
  "pnpm run standard",
  "bash --lint",
  "Rscript run.R 'test_dir(x)'",
  `${"nohup ".repeat(13)}pytest`,
  `eval "eval 'eval pytest'"`,
];

for (const script of OTHERS) {
  Deno.test(`PARITY finds no extra gate: ${script.replaceAll("\n", "; ")}`, PURE, () => {
    assertEquals(findScript(script), [], script);
  });
}

const ACTIONS: readonly (readonly [uses: string, isFound: boolean])[] = [
  ["zizmorcore/zizmor-action@v0", true],
  ["hadolint/hadolint-action@v3", true],
  ["sibiraj-s/action-eslint@v3", true],
  ["trufflesecurity/trufflehog@main", true],
  ["j178/prek-action@v1", true],
  ["pre-commit/action@v3", true],
  ["golangci/golangci-lint-action@v6", true],
  ["github/codeql-action/analyze@v3", true],
  ["psf/black@stable", true],
  ["Acme/LINT@v1", true],
  ["./.github/actions/lint", false],
  ["pypa/gh-action-pip-audit@v1", true],
  ["docker://acme/lint:1", false],
  ["docker://hadolint/hadolint:latest", true],
  ["docker://ghcr.io/rhysd/actionlint@sha256:00", true],
  ["julia-actions/julia-runtest@v1", true],
  ["wntrblm/nox@2025.05.01", false],
  ["actions/cache@v4", false],
  ["dorny/test-reporter@v1", false],
  ["hynek/setup-cached-uv@v2", false],
  ["codecov/codecov-action@v4", false],
  ["snyk/actions/node@master", true],
  ["SonarSource/sonarcloud-github-action@v2", true],
  ["cypress-io/github-action@v6", true],
  ["test-room-7/action-update-file@v1", false],
  ["check-spelling/check-spelling@v1", true],
  ["' psf/black@stable'", true],
  ["docker://acme/lint", false],
  ["docker://hadolint:1", true],
  ["acme/detect-secrets-action@v1", true],
];

for (const [uses, isFound] of ACTIONS) {
  Deno.test(`PARITY takes ${uses} for ${isFound ? "an extra gate" : "none"}`, PURE, () => {
    assertEquals(findBeside(`      - uses: ${uses}\n`).length, isFound ? 1 : 0);
  });
}

Deno.test(
  "PARITY takes the parts of the command for no extra gates, but for those elsewhere",
  PURE,
  () => {
    const policy = policyFor("make lint && make test");
    assertEquals(findScript("make lint\nmake test", policy), []);
    assertEquals(findScript("make audit", policy).length, 1);
    const inside = "      - run: make lint\n        working-directory: sub\n";
    assertEquals(findBeside(inside, policy), [
      '8 "make lint" checks something that the command does not',
    ]);
    assertEquals(
      findBeside("      - run: make check\n        working-directory: sub\n"),
      ['8 "make check" checks something that the command does not'],
    );
  },
);

Deno.test("PARITY finds the checker that an action is given to run", PURE, () => {
  const given = (uses: string, input: string): number =>
    findBeside(`      - uses: ${uses}\n        with: { ${input} }\n`).length;
  assertEquals(given("nick-fields/retry@v3", "command: npm test"), 1);
  assertEquals(given("GabrielBB/xvfb-action@v1", "run: npx vitest"), 1);
  assertEquals(given("nick-fields/retry@v3", "command: npm ci"), 0);
  assertEquals(given("nick-fields/retry@v3", "command: make check"), 0);
  assertEquals(given("actions/github-script@v7", "script: pytest"), 0);
  assertEquals(given("actions-rs/cargo@v1", "command: clippy, args: -- -D warnings"), 1);
  assertEquals(given("actions-rs/cargo@v1", "command: build"), 0);
  assertEquals(given("acme/run@v1", "command: pytest, args: --version"), 1);
  assertEquals(given("gradle/gradle-build-action@v2", "arguments: check"), 1);
  assertEquals(given("gradle/gradle-build-action@v2", "arguments: assemble"), 0);
  assertEquals(given("cypress-io/github-action@v6", "runTests: false"), 0);
});

Deno.test("PARITY knows commands under their other spellings", PURE, () => {
  for (const command of ["npm test", "npm t", "npm run test", "npm run-script test"]) {
    for (const run of ["npm test", "npm t", "npm run test"]) {
      assertEquals(findScript(run, policyFor(command)), [], `${command}: ${run}`);
      assertEquals(
        check(
          `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ${run}\n`,
          policyFor(command),
        ),
        [],
      );
    }
  }
  assertEquals(findScript("npm run test:all", policyFor("npm test")).length, 1);
  assertEquals(findScript("yarn test", policyFor("yarn run test")), []);
  // Bun has a test runner of its own.
  assertEquals(findScript("bun test", policyFor("bun run test")).length, 1);
  assertEquals(findScript("uv run --group dev pytest", policyFor("pytest")), []);
  assertEquals(findScript("uv run pytest tests/other", policyFor("pytest")).length, 1);
  assertEquals(findScript("pytest", policyFor("uv run python -m pytest")), []);
  assertEquals(findScript("make run test", policyFor("make test")).length, 1);
  const several = policyFor('bash -c "pytest; mypy ."');
  assertEquals(findScript('bash -c "pytest; mypy ."', several), []);
  assertEquals(findScript("pytest", several).length, 1);
});

Deno.test("PARITY takes pre-commit/action for pre-commit run --all-files", PURE, () => {
  const action = (settings = ""): string =>
    `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: pre-commit/action@v3${settings}\n`;
  const policy = policyFor("pre-commit run --all-files");
  assertEquals(check(action(), policy), []);
  assertEquals(findBeside("      - uses: pre-commit/action@v3\n", policy), []);
  const other = "\n        with: { extra_args: mypy }";
  assertEquals(check(action(other), policy).map(({ code }) => code), [
    "parity.missing",
    "parity.extra_gate",
  ]);
});

Deno.test("PARITY adds the checkers that the policy names", PURE, () => {
  const policy = (...checkers: readonly string[]): Policy => ({
    schema: "kprovengine.policy.v1",
    parity: { workflow: CI, command: "make check", checkers },
  });
  assertEquals(findScript("acme-verify --strict", policy()), []);
  assertEquals(findScript("acme-verify --strict", policy("acme-verify")).length, 1);
  assertEquals(findScript("uv run acme proof x", policy("acme proof")).length, 1);
  assertEquals(findScript("acme build", policy("acme proof")), []);
  assertEquals(findScript("acme build --dry-run", policy("acme build --dry-run")).length, 1);
  assertEquals(findScript("./tools/gate.sh", policy("./tools/gate.sh")).length, 1);
  assertEquals(findScript("./other/gate.sh", policy("./tools/gate.sh")), []);
  assertEquals(findScript("./tools/gate.sh", policy("gate.sh")).length, 1);
  assertEquals(findScript("./tools/other.sh", policy("gate.sh")), []);
  for (const run of ["bash -e ./tools/gate.sh", "source ./tools/gate.sh", ". ./tools/gate.sh x"]) {
    assertEquals(findScript(run, policy("./tools/gate.sh")).length, 1, run);
  }
  for (const checker of ["# gate", " ", ";"]) {
    assertThrows(() => findScript("true", policy(checker)), KprovError, "it names no command");
  }
});

Deno.test(
  "PARITY tells the first extra gate of a step, and one for all values of a matrix",
  PURE,
  () => {
    assertEquals(findScript("pytest\nmypy .\npytest"), [
      '8 "pytest" checks something that the command does not',
    ]);
    const text = `on: [push, pull_request]
jobs:
  check:
    runs-on: ubuntu-latest
    strategy: { matrix: { tool: [pytest, mypy, ruff check] } }
    steps:
      - run: make check
      - run: \${{ matrix.tool }}
`;
    assertEquals(check(text, policyFor("make check")).map(({ line, message }) => [line, message]), [
      [8, '"pytest" checks something that the command does not'],
    ]);
  },
);

Deno.test("PARITY finds checkers that the workflow gives to a step in every way", PURE, () => {
  const job = (text: string): string[] =>
    check(
      `on: [push, pull_request]\njobs:\n  a:\n    runs-on: ubuntu-latest\n${text}`,
      policyFor("make check"),
    ).filter(({ code }) => code === "parity.extra_gate").map(({ message }) => message);
  const steps = (text: string): string => `    steps:\n      - run: make check\n      - ${text}\n`;
  // A block ends with a line break, which makes a text that counts as true of it.
  assertEquals(job(steps("if: |\n          ${{ false }}\n        run: pytest")).length, 1);
  assertEquals(job(steps("if: ${{ false }}\n        run: pytest")), []);
  assertEquals(job(steps("if: vars.X\n        run: pytest")).length, 1);
  assertEquals(job(steps("continue-on-error: true\n        run: pytest")), []);
  assertEquals(job(steps("shell: python\n        run: pytest")), []);
  assertEquals(job(steps("shell: pwsh\n        run: if ($x) { pytest }")).length, 1);
  assertEquals(job(steps("run: pytest ${{ vars.ARGS }}")), [
    '"pytest ${{ vars.ARGS }}" checks something that the command does not',
  ]);
  assertEquals(job(`    env: { TOOL: pytest }\n${steps("run: ${{ env.TOOL }}")}`).length, 1);
});

Deno.test("PARITY follows shells in here-documents of each other to an end", PURE, () => {
  const nest = (depth: number): string =>
    depth === 0 ? "pytest" : `bash <<'E${depth}'\n${nest(depth - 1)}\nE${depth}`;
  assertEquals([nest(1), nest(4), nest(2000)].map((script) => findScript(script).length), [
    1,
    1,
    0,
  ]);
});

Deno.test("PARITY shows nothing but what is written", PURE, () => {
  const shown = JSON.stringify(findScript("pytest ${{ vars.A }}${{ github.sha }}"));
  assertEquals(
    shown,
    JSON.stringify([
      '8 "pytest ${{ vars.A }}${{ github.sha }}" checks something that the command does not',
    ]),
  );
});
