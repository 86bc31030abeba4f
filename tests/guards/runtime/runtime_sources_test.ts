import { SOURCES, sourcesOf } from "../../../src/guards/runtime/sources.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { CI, job } from "../workflow_text.ts";
import { assertCases, type Case, checkDeclared, makePolicy } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** For each source the smallest file of it that declares something outside, and one that is inside. */
const CASES: Readonly<Record<string, readonly Case[]>> = {
  "mise": [
    ["mise.toml", '[tools]\npython = "3.8"\n', ["out_of_range 2:1"]],
    [".mise.toml", '[tools]\nnode = ["22", "18"]\n', ["out_of_range 2:1"]],
    [".config/mise/config.toml", '[tools]\n"core:python" = { version = "3.8" }', [
      "out_of_range 2:1",
    ]],
    [".config/mise/conf.d/x.toml", '[tools]\nnode = "lts"', ["unpinned 2:1"]],
    ["mise.local.toml", '[tools]\npython = "ref:main"', ["unpinned 2:1"]],
    ["mise.toml", '[tools]\npython = "prefix:3.12"\ndeno = "2.9.6"\nrust = "1"', []],
    ["mise.toml", '[tasks.old]\ntools = { python = "3.8" }\n', ["out_of_range 2:1"]],
    ["mise.toml", '[env]\nUV_PYTHON = "3.8"\n', ["out_of_range 2:1"]],
    ["mise.toml", '[env]\nUV_PYTHON = "3.12"\nPYTHON = "3.8"\n', []],
    ["mise.toml", "[tools", ["unpinned null:null"]],
    ["x/promise.toml", '[tools]\npython = "3.8"', []],
  ],
  "proto": [
    [".prototools", 'node = "18"\n', ["out_of_range 1:1"]],
    [".prototools", 'node = "22"\nrust = "1"\n', []],
  ],
  "runtime.txt": [
    ["runtime.txt", "python-3.8.10\n", ["out_of_range 1:1"]],
    ["runtime.txt", "3.8\n", ["out_of_range 1:1"]],
    ["runtime.txt", "nodejs-18\n", ["out_of_range 1:1"]],
    ["runtime.txt", "python3.8\n", ["out_of_range 1:1"]],
    ["runtime.txt", "Python 3.8\n", ["unpinned 1:1"]],
    ["runtime.txt", "python\n", ["unpinned 1:1"]],
    ["runtime.txt", "python-3.12.1\n", []],
    ["runtime.txt", "python3.12\n", []],
    ["runtime.txt", "It took 3 hours\n", []],
  ],
  "setup.cfg": [
    ["setup.cfg", "[options]\npython_requires = >=3.8\n", ["out_of_range 2:1"]],
    ["setup.cfg", "[options]\npython_requires =\n    >=3.11,\n    <3.13\n", []],
    ["setup.cfg", "[options]\npython_requires =\n    >=3.11,\n    # why\n\n    <3.13\n", []],
    ["setup.cfg", "[metadata]\npython_requires = >=3.8\n", []],
    ["setup.cfg", "[options]\nzip_safe = >=3.8\n", []],
    ["setup.cfg", "[tool]\nenvlist = py38\n", []],
    ["setup.cfg", "[tox:tox]\nenvlist = py38\n", ["out_of_range 2:1"]],
  ],
  "a script's metadata": [
    ["a.py", 'import x\n# /// script\n# requires-python = ">=3.8"\n# ///\n', ["out_of_range 3:3"]],
    ["a.py", '# /// script\n#\n# requires-python = ">=3.12,<3.13"\n# ///\n', []],
    ["a.py", '# /// script\n# requires-python = ">=3.8"\nx = 1\n# ///\n', []],
    ["a.py", '# /// script\n# requires-python = ">=3.8"\n', []],
  ],
  "setup.py": [
    ["setup.py", 'setup(\n    python_requires=">=3.8",\n)\n', ["out_of_range 2:5"]],
    ["setup.py", "kwargs = {'python_requires': '~=3.8'}\n", ["out_of_range 1:12"]],
    ["setup.py", "setup(python_requires='>=3.11,<3.13')\n", []],
    ["setup.py", "setup(python_requires=VERSIONS)\n", ["unpinned 1:7"]],
    ["setup.py", '# python_requires=">=3.8"\nsetup()\n', []],
    // Texts side by side are one; what is worked out from them is none.
    ["setup.py", "setup(python_requires='>=3.11,'\n  '<3.13')\n", []],
    ["setup.py", "setup(python_requires=(\n  '>=3.8'\n  ',<3.13'))\n", ["out_of_range 1:7"]],
    ["setup.py", "setup(python_requires='>=3.12,<3.13' if NEW else '>=3.8')\n", ["unpinned 1:7"]],
    ["setup.py", "setup(python_requires='>=3.12,<3.13'\n  + MORE)\n", ["unpinned 1:7"]],
    ["setup.py", "setup(python_requires=f'>=3.12,<3.13{X}')\n", ["unpinned 1:7"]],
    ["setup.py", "setup(python_requires='>=3.12,\\x3c3.13')\n", ["unpinned 1:7"]],
    ["setup.py", "python_requires = '>=3.12,<3.13'\nsetup()\n", []],
    ["setup.py", "x['python_requires'] = '>=3.8'\n", ["out_of_range 1:4"]],
    ["setup.py", "a(python_requires='>=3.12,<3.13'); b(python_requires='>=3.8')\n", [
      "out_of_range 1:38",
    ]],
    ["setup.py", "x = '#'; setup(python_requires='''>=3.8''')\r\n", ["out_of_range 1:16"]],
    ["setup.py", "x = 1  # python_requires='>=3.8'\n", []],
    ["setup.py", '"""\npython_requires=">=3.8"\n"""\nsetup()\n', []],
    ["setup.py", "if python_requires == '>=3.8': pass\nx[python_requires]\n", []],
  ],
  "tox": [
    ["tox.ini", "[tox]\nenvlist = py38\n", ["out_of_range 2:1"]],
    ["tox.ini", "[tox]\nenv_list =\n    py3{8,11}-django{4,5}\n    lint\n", ["out_of_range 2:1"]],
    ["tox.ini", "[tox]\nenvlist = py{11-12}\n[testenv:py39-x]\n a = b\nc = d", [
      "out_of_range 5:1",
    ]],
    ["tox.ini", "[testenv]\nbasepython = python3.8\n", ["out_of_range 2:1"]],
    ["tox.ini", "[tox]\nenvlist = py3{11-12}\n", []],
    ["tox.ini", "[tox]\nenvlist = py3{11, 12}\n", []],
    ["tox.ini", "[tox]\nenvlist = py3{8-8}\n", ["out_of_range 2:1"]],
    ["tox.ini", "[tox]\nenvlist = py3\n", ["out_of_range 2:1"]],
    ["tox.ini", "[testenv]\ndescription = py38\n", []],
    ["tox.ini", "[tox]\nenvlist = py3{11-13}\n", ["out_of_range 2:1"]],
    ["tox.ini", "[tox]\nenvlist = py311, py312, pypy311, py, docs\n", []],
    ["tox.ini", "[tox]\nenvlist =\n  py311  # py38 is gone\n  py312\n", []],
    ["tox.toml", 'env_list = ["py38", "lint"]\n', ["out_of_range 1:1"]],
    ["pyproject.toml", '[tool.tox]\nlegacy_tox_ini = """\n[tox]\nenvlist = py38\n"""', [
      "out_of_range null:null",
    ]],
  ],
  "tox.toml": [
    ["tox.toml", 'env_list = ["py38-a", "lint"]\n', ["out_of_range 1:1"]],
    ["tox.toml", 'env_list = [{ product = [["3.8", "3.12"], ["a"]] }]\n', [
      "out_of_range 1:1",
    ]],
    ["tox.toml", '[env."3.8"]\ndescription = "x"\n', ["out_of_range null:null"]],
    ["tox.toml", 'env_list = [{ product = [{ prefix = "3.", start = 10, stop = 12 }] }]\n', [
      "out_of_range 1:1",
    ]],
    ["tox.toml", 'env_list = [{ product = [{ prefix = "py3", start = 11, stop = 12 }] }]\n', []],
    ["tox.toml", '[env.lint]\nbase_python = ["py312"]\n', []],
  ],
  "conda environments": [
    ["workflow/envs/stats.yaml", "dependencies:\n  - python=3.8\n", ["out_of_range 2:5"]],
    ["conda.yaml", "dependencies:\n  - python=3.8\n", ["out_of_range 2:5"]],
    ["conda-dev.yml", "dependencies:\n  - nodejs=18\n", ["out_of_range 2:5"]],
    ["environment.yml", "dependencies:\n  - python==3.12.1=h12_0_cpython\n", []],
    ["envs/prod.yaml", "a: 1\n---\nb: {{ .Values.x }\n", []],
    ["envs/prod.yaml", "dependencies:\n  x: python\n", []],
  ],
  "hatch": [
    ["hatch.toml", '[[envs.test.matrix]]\npython = ["38", "312"]\n', ["out_of_range 2:1"]],
  ],
  "images of PyPy": [
    ["Dockerfile", "FROM pypy:3.9-slim\n", ["out_of_range 1:6"]],
    ["Dockerfile", "FROM pypy:3.11\n", []],
  ],
  "executors of CircleCI's orbs": [
    [
      ".circleci/config.yml",
      'orbs:\n  py: circleci/python@2\njobs:\n  a:\n    executor: {name: py/default, tag: "3.8"}\n',
      ["out_of_range 5:39"],
    ],
  ],
  "commands that install": [
    ["Dockerfile", 'FROM x\nRUN ["uv", "python", "install", "3.8"]\n', ["out_of_range 2:1"]],
    ["Dockerfile", "FROM x\nRUN uv --quiet --directory a python install 3.8\n", [
      "out_of_range 2:1",
    ]],
    ["Dockerfile", "FROM x\nRUN uv python install -i /opt --mirror y 3.12\n", []],
    ["Dockerfile", "FROM x\nRUN sudo -E bash -c 'uv python install 3.8'\n", ["out_of_range 2:1"]],
    ["Dockerfile", "FROM x\nRUN uv run -p3.8 a && uv lock --python 3.8\n", [
      "out_of_range 2:1",
      "out_of_range 2:1",
    ]],
    ["Dockerfile", "FROM x\nRUN uv tool install --python 3.8 a\n", ["out_of_range 2:1"]],
    ["Dockerfile", "FROM x\nRUN pdm use -f 3.8\n", ["out_of_range 2:1"]],
    ["Dockerfile", "FROM x\nRUN poetry env use /usr/bin/python3.12\n", []],
    ["Dockerfile", "FROM x\nRUN conda create -n python python=3.12\n", []],
    ["Dockerfile", "FROM x\nRUN deno upgrade 2.7.0\n", ["out_of_range 2:1"]],
    ["Dockerfile", "FROM x\nRUN nvm install --lts\n", ["unpinned 2:1"]],
    ["Dockerfile", "FROM x\nRUN nvm install --lts=jod && fnm use --latest\n", ["unpinned 2:1"]],
    ["Dockerfile", "FROM x\nRUN nvm install --lts=hydrogen\n", ["out_of_range 2:1"]],
    ["Dockerfile", "FROM x\nRUN volta install node\n", ["unpinned 2:1"]],
    ["Dockerfile", "FROM x\nRUN mise install node\n", []],
    [CI, job("    steps:\n      - run: export UV_PYTHON=3.8\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: UV_PYTHON='3.8' uv sync\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: echo UV_PYTHON=3.8 >> $GITHUB_ENV\n"), [
      "out_of_range 6:14",
    ]],
    [CI, job("    steps:\n      - run: echo UV_PYTHON=$X >> $GITHUB_ENV\n"), ["unpinned 6:14"]],
    [
      CI,
      job("    steps:\n      - run: |\n          # UV_PYTHON=3.8\n          MY_UV_PYTHON=3.8 x\n"),
      [],
    ],
    ["Dockerfile", "FROM x\nRUN curl -fsSL https://deno.land/install.sh | sh -s v2.7.0\n", [
      "out_of_range 2:1",
    ]],
    ["Dockerfile", "FROM x\nRUN curl -fsSL https://deno.land/install.sh | sh\n", ["unpinned 2:1"]],
    ["Dockerfile", "FROM x\nRUN curl -fsSL https://deno.land/install.sh | sh -s v2.9.0\n", []],
    ["Dockerfile", "FROM x\nRUN curl https://deb.nodesource.com/setup_18.x | bash -\n", [
      "out_of_range 2:1",
    ]],
    ["Dockerfile", "FROM x\nRUN curl https://deb.nodesource.com/setup_lts.x | bash -\n", [
      "unpinned 2:1",
    ]],
    ["Dockerfile", "FROM x\nRUN apt-get -y install python3.8 python3.8-dev\n", [
      "out_of_range 2:1",
    ]],
    ["Dockerfile", "FROM x\nRUN apt-get install -y python3 python3-pip\n", []],
    [CI, job("    steps:\n      - run: sudo apt install python3.8\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: poetry env use 3.8\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: pipx run --python 3.8 x\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: mise use node@18\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: npx -y deno@2.7.0 test\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: npx -y deno@2.9.0 test\n"), []],
    [
      CI,
      job(
        "    steps:\n      - uses: mamba-org/setup-micromamba@v2\n        with:\n          create-args: >-\n            python=3.8\n            numpy\n",
      ),
      ["out_of_range 8:24"],
    ],
  ],
  "another repository's workflow": [
    [
      CI,
      "on: push\njobs:\n  a:\n    uses: acme/x/.github/workflows/r.yml@v1\n    with: {python-version: '3.8'}\n",
      ["out_of_range 5:28"],
    ],
    // What the repository's own is given, only it could tell.
    [
      CI,
      "on: push\njobs:\n  a:\n    uses: ./.github/workflows/r.yml\n    with: {python-version: '3.8'}\n",
      [],
    ],
  ],
  "Pipfile": [
    ["Pipfile", '[requires]\npython_version = "3.8"\n', ["out_of_range 2:1"]],
    ["Pipfile", '[requires]\npython_full_version = "3.12.1"\n', []],
  ],
  "pyproject.toml": [
    ["pyproject.toml", '[tool.hatch.envs.test]\npython = "3.8"\n', ["out_of_range 2:1"]],
    ["pyproject.toml", '[[tool.hatch.envs.test.matrix]]\npython = ["3.8", "3.12"]\n', [
      "out_of_range 2:1",
    ]],
    ["hatch.toml", '[envs.test]\npython = "3.8"\n', ["out_of_range 2:1"]],
    ["pyproject.toml", '[tool.poetry.group.dev.dependencies]\npython = "^3.8"\n', [
      "out_of_range 2:1",
    ]],
    ["pyproject.toml", '[tool.uv.dependency-groups]\ndev = {requires-python = ">=3.8"}\n', [
      "out_of_range 2:1",
    ]],
    ["pyproject.toml", '[tool.pixi.dependencies]\npython = "3.8.*"\n', ["out_of_range 2:1"]],
    ["pyproject.toml", '[tool.pdm]\npython_requires = ">=3.8"\n', ["out_of_range 2:1"]],
  ],
  "conda": [
    ["environment.yml", "dependencies:\n  - python=3.8\n", ["out_of_range 2:5"]],
    ["env/environment-dev.yaml", "dependencies: [conda-forge::python >=3.8]", [
      "out_of_range 1:16",
    ]],
    ["environment.yml", "dependencies: [nodejs=18.1=h12_0]", ["out_of_range 1:16"]],
    ["environment.yml", "dependencies: [python]", ["unpinned 1:16"]],
    ["environment.yml", "dependencies: [' python=3.8 ']", ["out_of_range 1:16"]],
    ["environment.yml", "dependencies: ['https://conda.example/main::python=3.8']", [
      "out_of_range 1:16",
    ]],
    ["environment.yml", "dependencies: ['python >=3.11, <3.13.*']", []],
    // A spec that is too long to be read is about Python all the same.
    ["environment.yml", `dependencies: ['python${" ".repeat(300)}=3.8']`, ["unpinned 1:16"]],
    ["environment.yml", `dependencies: ['numpy${" ".repeat(300)}=3.8']`, []],
    ["environment.yml", "dependencies: ['python >=3.11,<3.13.0a0', numpy, {pip: [x]}]", []],
    ["environment.yml", "dependencies: ['python=3.11|3.12.*', python-dateutil=2]", []],
    ["environment.yml", "dependencies: ['python=3.11|=3.12']", []],
    ["environment.yml", "dependencies: ['python=3.11|=3.8']", ["out_of_range 1:16"]],
    ["pixi.toml", '[package.run-dependencies]\npython = ">=3.8"\n', ["out_of_range 2:1"]],
    ["pixi.toml", '[package.target.unix.host-dependencies]\npython = "3.8.*"\n', [
      "out_of_range 2:1",
    ]],
    ["pixi.toml", '[dependencies]\npython = ">=3.8"\n', ["out_of_range 2:1"]],
    ["pixi.toml", '[feature.x.target.linux-64.dependencies]\nnodejs = {version = "18.*"}\n', [
      "out_of_range 2:1",
    ]],
    ["pixi.toml", '[dependencies]\npython = "3.12.*"\nnodejs = ">=22"\n', []],
  ],
  "package.json": [
    ["package.json", '{"devEngines": {"runtime": {"name": "node", "version": "18"}}}', [
      "out_of_range 1:56",
    ]],
    ["package.json", '{"devEngines": {"runtime": [{"name": "node"}, {"name": "bun"}]}}', [
      "unpinned 1:29",
    ]],
    ["package.json", '{"pnpm": {"executionEnv": {"nodeVersion": "18.1.0"}}}', [
      "out_of_range 1:43",
    ]],
    ["package.json", '\ufeff{"engines": {"node": "22"}}', []],
    ["package.json", '\ufeff{"engines": {"node": "18"}}', ["out_of_range 1:22"]],
  ],
  "pnpm": [
    [".npmrc", "a=b\nuse-node-version=18.1.0\n", ["out_of_range 2:1"]],
    [".npmrc", "use-node-version=22.1.0\n", []],
    ["pnpm-workspace.yaml", "useNodeVersion: 18.1.0\n", ["out_of_range 1:17"]],
    ["pnpm-workspace.yaml", "executionEnv: {nodeVersion: 22.1.0}\n", []],
  ],
  ".pre-commit-config.yaml": [
    [".pre-commit-config.yaml", "default_language_version:\n  python: python3.8\n", [
      "out_of_range 2:11",
    ]],
    [".pre-commit-config.yaml", "repos: [{hooks: [{id: a, language_version: python3.8}]}]", [
      "out_of_range 1:44",
    ]],
    [
      ".pre-commit-config.yaml",
      "repos: [{hooks: [{id: a, language: node, language_version: 18.1.0}]}]",
      ["out_of_range 1:60"],
    ],
    [".pre-commit-config.yaml", "default_language_version: {python: python3.12, node: 22.1.0}", []],
    [".pre-commit-config.yaml", "repos: [{hooks: [{id: a, language_version: '1.21'}]}]", []],
  ],
  ".readthedocs.yaml": [
    [".readthedocs.yaml", 'build:\n  tools: {python: "3.8"}\n', ["out_of_range 2:19"]],
    [".readthedocs.yml", 'build: {tools: {nodejs: "18", python: "3.12"}}\n', ["out_of_range 1:25"]],
    [".readthedocs.yaml", "python: {version: '3.8'}", ["out_of_range 1:19"]],
    [".readthedocs.yaml", "build: {tools: {python: miniconda3-4.7}}", ["unpinned 1:25"]],
    [".readthedocs.yaml", "build: {commands: [uv python install 3.8]}", ["out_of_range 1:20"]],
    [".readthedocs.yaml", "build: {jobs: {install: [uv venv --python 3.8 x]}}", [
      "out_of_range 1:26",
    ]],
  ],
  "devcontainer": [
    [".devcontainer/devcontainer.json", '{"image": "mcr.microsoft.com/devcontainers/python:3.8"}', [
      "out_of_range 1:11",
    ]],
    [
      ".devcontainer/a/devcontainer.json",
      '// a\n{"features": {"ghcr.io/devcontainers/features/python:1": {"version": "3.8"}},}',
      ["out_of_range 2:70"],
    ],
    [".devcontainer.json", '{"features": {"ghcr.io/devcontainers/features/node:1": {}}}', [
      "unpinned 1:56",
    ]],
    [".devcontainer.json", '{"image": "node:${localEnv:V:18}"}', ["out_of_range 1:11"]],
    [".devcontainer.json", '{"image": "node:22", "features": {"x/go:1": {}}}', []],
    [".devcontainer.json", '{"features": {"x/node:1": "22"}, "image": 1}', []],
    [".devcontainer.json", '{"features": {"x/node:1": {"nvm": "1", "version": "22"}}}', []],
    [".devcontainer.json", '{"customizations": {"node": {}, "x/python": {}}}', []],
    [".devcontainer.json", '{"features": {"x/features/node:1": {"version": "none"}}}', []],
    [
      ".devcontainer.json",
      '{"features": {"x/python:1": {"version": "3.12", "additionalVersions": "3.11, 3.8"}}}',
      [
        "out_of_range 1:71",
      ],
    ],
    [".devcontainer.json", '{"containerEnv": {"UV_PYTHON": "3.8"}}', ["out_of_range 1:32"]],
    [".devcontainer.json", '{"remoteEnv": {"PYTHON": "3.8"}}', []],
    [".devcontainer.json", '{"postCreateCommand": "uv python install 3.8"}', ["out_of_range 1:23"]],
    [".devcontainer.json", '{"postStartCommand": {"a": ["uv", "python", "install", "3.8"]}}', [
      "out_of_range 1:28",
    ]],
    [".devcontainer.json", "{", ["unpinned null:null"]],
  ],
  "compose": [
    ["compose.yaml", "services: {a: {image: 'python:3.8'}}", ["out_of_range 1:23"]],
    ["docker-compose.dev.yml", "services: {a: {image: 'node:${V:-18}'}}", ["out_of_range 1:23"]],
    ["compose.yaml", "services: {a: {image: ' node:18 '}, b: {image: }}", ["out_of_range 1:23"]],
    ["compose.yaml", "services: {a: {image: 'node:${V}'}}", ["unpinned 1:23"]],
    ["compose.yaml", "x: &x {image: 'node:18'}\nservices: {a: {<<: *x}}", ["out_of_range 1:15"]],
    [
      "compose.yaml",
      "x: &x {image: 'node:18'}\ny: &y {image: 'node:22'}\nservices: {a: {<<: [*y, *x]}}",
      [],
    ],
    ["compose.yaml", "x: &x {image: 'node:18'}\nservices: {a: {<<: *x, image: 'node:22'}}", []],
    ["compose.yaml", "x: &x {a: {image: 'node:18'}}\nservices:\n  <<: *x\n", ["out_of_range 1:19"]],
    ["compose.yaml", "services: {a: {environment: {UV_PYTHON: 3.8}}}", ["out_of_range 1:41"]],
    ["compose.yaml", "services: {a: {environment: [A=1, UV_PYTHON=3.8]}}", ["out_of_range 1:35"]],
    ["compose.yaml", "services: {a: {environment: ['UV_PYTHON=${V:-3.12}', UV_PYTHON=$V]}}", [
      "unpinned 1:54",
    ]],
    ["compose.yaml", "services: {a: {build: {dockerfile_inline: 'FROM node:18'}}}", [
      "out_of_range 1:43",
    ]],
    ["compose.yaml", "services: {a: {image: 'node:22', ports: !reset []}, b: {build: .}}", []],
  ],
  "GitLab": [
    [".gitlab-ci.yml", "image: python:3.8\n", ["out_of_range 1:8"]],
    [".gitlab-ci.yml", "default: {image: {name: 'node:18'}}", ["out_of_range 1:25"]],
    [".gitlab-ci.yml", "a: {services: [{name: 'node:18'}, postgres]}", ["out_of_range 1:23"]],
    [".gitlab-ci.yml", "variables: {V: '3.8'}\na: {image: 'python:$V'}", ["out_of_range 1:16"]],
    [
      ".gitlab-ci.yml",
      "a:\n  image: python:${V}\n  parallel: {matrix: [{V: ['3.8', '3.12']}]}",
      ["out_of_range 3:28"],
    ],
    [".gitlab-ci.yml", "a: {image: 'python:$V'}", ["unpinned 1:12"]],
    // A variable may be made of others.
    [".gitlab-ci.yml", "variables: {V: '3.12', I: 'python:$V'}\na: {image: $I}", []],
    [".gitlab-ci.yml", "variables: {V: '3.8', I: 'python:$V'}\na: {image: $I}", [
      "out_of_range 1:16",
    ]],
    [".gitlab-ci.yml", "variables: {V: '$V'}\na: {image: 'python:$V'}", ["unpinned 1:16"]],
    [".gitlab-ci.yml", "a: {variables: {UV_PYTHON: '3.8'}}", ["out_of_range 1:28"]],
    // The inputs of a file stand in a document before it.
    [
      ".gitlab-ci.yml",
      "spec: {inputs: {v: {default: '3.12'}}}\n---\na: {image: 'python:$[[ inputs.v ]]'}",
      [],
    ],
    [
      ".gitlab-ci.yml",
      "spec: {inputs: {v: {default: '3.8'}}}\n---\na: {image: 'python:$[[ inputs.v | x ]]'}",
      ["out_of_range 1:30"],
    ],
    [
      ".gitlab-ci.yml",
      "spec: {inputs: {v: }}\n---\na: {image: 'python:$[[ inputs.v ]]'}",
      ["unpinned 3:12"],
    ],
    [".gitlab-ci.yml", "a: 1\n---\nb: 2", ["unpinned 2:1"]],
    [".gitlab-ci.yml", "spec: 1\n---\nb: 2\n---\nc: 3", ["unpinned 4:1"]],
    ["compose.yaml", "spec: 1\n---\nservices: {}", ["unpinned 2:1"]],
    [".gitlab-ci.yml", "a: {image: '$CI_PREFIX/python:3.12', script: !reference [.b, script]}", []],
    [".gitlab-ci.yml", "a: {image: '$IMAGE'}", ["unpinned 1:12"]],
    [".gitlab-ci.yml", "variables: {image: 'node:18'}", []],
    [".gitlab-ci.yml", "image:\n", []],
    ["ci/test.gitlab-ci.yml", "a: {script: ['uv python install 3.8']}", ["out_of_range 1:14"]],
    ["bitbucket-pipelines.yml", "image: python:3.8", ["out_of_range 1:8"]],
    [".woodpecker.yml", "steps: [{image: 'node:18'}]", ["out_of_range 1:17"]],
    [".woodpecker.yml", "matrix: {V: [22, 18]}\nsteps: [{image: 'node:${V}'}]", [
      "out_of_range 1:18",
    ]],
    [".woodpecker.yml", "matrix: {include: [{V: 22}]}\nsteps: [{image: 'node:${V}'}]", []],
  ],
  "CircleCI": [
    [".circleci/config.yml", "jobs: {a: {docker: [{image: 'cimg/python:3.8'}]}}", [
      "out_of_range 1:29",
    ]],
    [
      ".circleci/config.yml",
      "jobs: {a: {docker: [{image: 'cimg/node:<< parameters.v >>'}]}}\n" +
      "workflows: {w: {jobs: [{a: {matrix: {parameters: {v: ['18.1', '22.1']}}}}]}}",
      ["out_of_range 2:55"],
    ],
    [".circleci/config.yml", "jobs: {a: {docker: [{image: 'cimg/node:<< parameters.v >>'}]}}", [
      "unpinned 1:29",
    ]],
    [".circleci/config.yml", "jobs: {a: {environment: {UV_PYTHON: '3.8'}}}", ["out_of_range 1:37"]],
    [
      ".circleci/config.yml",
      "jobs: {a: {steps: [{run: 'uv python install 3.8'}]}}",
      ["out_of_range 1:26"],
    ],
    [
      ".circleci/config.yml",
      "jobs: {a: {steps: [{run: {name: x, command: 'uv python install 3.8'}}]}}",
      ["out_of_range 1:45"],
    ],
    [
      ".circleci/config.yml",
      "jobs: {a: {docker: [{image: 'cimg/node:<< parameters.v >>'}]}}\nworkflows: {w: {jobs: [{a: {v: '18'}}]}}",
      ["out_of_range 2:32"],
    ],
    [
      ".circleci/config.yml",
      "jobs:\n  a:\n    parameters: {v: {type: string, default: '18.1'}}\n" +
      "    docker: [{image: 'cimg/node:<< parameters.v >>'}]",
      ["out_of_range 3:45"],
    ],
    [
      ".circleci/config.yml",
      "orbs: {o: x/other@5}\njobs: {a: {steps: [o/install: {version: '18'}]}}",
      [],
    ],
    [
      ".circleci/config.yml",
      "orbs: {n: circleci/node@5}\njobs: {a: {steps: [n/install: {node-version: '18'}]}}",
      ["out_of_range 2:46"],
    ],
  ],
  "Azure": [
    [
      "azure-pipelines.yml",
      "steps:\n- task: UsePythonVersion@0\n  inputs: {versionSpec: '3.8'}",
      ["out_of_range 3:25"],
    ],
    [
      "azure-pipelines.yml",
      "strategy: {matrix: {a: {python.version: '3.8'}, b: {python.version: '3.12'}}}\n" +
      "steps:\n- task: UsePythonVersion@0\n  inputs: {versionSpec: '$(python.version)'}",
      ["out_of_range 1:41"],
    ],
    ["azure-pipelines.yml", "steps: [{task: NodeTool@0}]", ["unpinned 1:16"]],
    ["azure-pipelines.yml", "steps: [{task: usenode@1, inputs: {Version: '18'}}]", [
      "out_of_range 1:45",
    ]],
    [
      "azure-pipelines.yml",
      "steps: [{task: NodeTool@0, inputs: {versionSource: fromFile, versionFilePath: .nvmrc}}]",
      [],
    ],
    [
      "azure-pipelines.yml",
      "steps: [{task: NodeTool@0, inputs: {versionSource: fromFile, versionFilePath: x}}]",
      [
        "unpinned 1:16",
      ],
    ],
    ...["${{ v }}", "${{ v.node }}"].map((written): Case => [
      "azure-pipelines.yml",
      "parameters: [{name: vs, type: object, default: ['22', '18', {node: '18'}]}]\n" +
      "steps:\n- ${{ each v in parameters.vs }}:\n  - task: NodeTool@0\n    inputs: {versionSpec: '" +
      `${written}'}`,
      [written === "${{ v }}" ? "out_of_range 1:55" : "out_of_range 1:68"],
    ]),
    [
      "azure-pipelines.yml",
      "variables: {v: '22'}\nsteps: [{task: NodeTool@0, inputs: {versionSpec: \"${{ variables['v'] }}\"}}]",
      [],
    ],
    ["azure-pipelines.yml", "variables: [{name: UV_PYTHON, value: '3.8'}]", ["out_of_range 1:38"]],
    ["azure-pipelines.yml", "steps: [{pwsh: 'uv python install 3.8'}]", ["out_of_range 1:16"]],
    [
      "azure-pipelines.yml",
      "variables: [{name: v, value: '18'}]\nsteps: [{task: NodeTool@0, inputs: {versionSpec: $(v)}}]",
      ["out_of_range 1:30"],
    ],
    [
      "azure-pipelines.yml",
      "parameters: [{name: v, values: ['18', '22']}]\nsteps: [{task: NodeTool@0, inputs: {versionSpec: '${{ parameters.v }}'}}]",
      ["out_of_range 1:33"],
    ],
    [
      "azure-pipelines.yml",
      "parameters: [{name: v, default: '22'}]\nsteps: [{task: NodeTool@0, inputs: {versionSpec: '${{ parameters.v }}'}}]",
      [],
    ],
    ["azure-pipelines.yml", "container: node:18", ["out_of_range 1:12"]],
    [
      ".azure-pipelines/ci.yml",
      "resources: {containers: [{container: py, image: 'python:3.8'}]}\njobs: [{container: py}]",
      ["out_of_range 1:49"],
    ],
    [
      "azure-pipelines.yml",
      "resources: {containers: [{container: node, image: 'node:22'}]}\njobs: [{container: node}]",
      [],
    ],
    ["azure-pipelines.yml", "steps: [{script: 'uv python install 3.8'}]", ["out_of_range 1:18"]],
  ],
  "Travis": [
    [".travis.yml", "python: ['3.8', '3.12']", ["out_of_range 1:10"]],
    [".travis.yml", "python:\n", []],
    [".travis.yml", "jobs: {include: [{node_js: 18}]}", ["out_of_range 1:28"]],
  ],
  "actions": [
    ["action.yml", "runs: {using: node16, main: x.js}", ["out_of_range 1:15"]],
    ["action.yml", "runs: {using: node24, main: x.js}", []],
    [
      CI,
      job(
        "    steps:\n      - uses: astral-sh/setup-uv@v5\n        with: {python-version: '3.8'}\n",
      ),
      [
        "out_of_range 7:32",
      ],
    ],
    [
      CI,
      job(
        "    steps:\n      - uses: conda-incubator/setup-miniconda@v3\n        with: {python-version: 3.8}\n",
      ),
      ["out_of_range 7:32"],
    ],
    // What an action that is not known is told counts where it is a version.
    [
      CI,
      job("    steps:\n      - uses: acme/base-setup@v1\n        with: {python_version: '3.8'}\n"),
      ["out_of_range 7:32"],
    ],
    [
      CI,
      job("    steps:\n      - uses: acme/base-setup@v1\n        with: {python-version: '3.12'}\n"),
      [],
    ],
    [
      CI,
      job("    steps:\n      - uses: acme/base-setup@v1\n        with: {python-version: newest}\n"),
      [],
    ],
    [CI, job("    steps:\n      - run: uv python install 3.8 3.12\n"), ["out_of_range 6:14"]],
    [CI, job("    steps:\n      - run: uv run --python=3.8 pytest\n"), ["out_of_range 6:14"]],
    // Behind the command that uv runs, options are the command's.
    [CI, job("    steps:\n      - run: uv run --python 3.12 cargo run -p ty --python 3.8\n"), []],
    [CI, job("    steps:\n      - run: uv run --project ./a pytest -p xdist\n"), []],
    [CI, job("    steps:\n      - run: uvx --with x -p 3.8 ruff\n"), ["out_of_range 6:14"]],
    // What the workflow sets, it declares; what only the script or the run sets floats.
    [
      CI,
      job("    env:\n      V: '3.8'\n    steps:\n      - run: uv run --python=\"${V}\" pytest\n"),
      ["out_of_range 8:14"],
    ],
    [CI, job("    env:\n      V: '3.12'\n    steps:\n      - run: uv run -p $V pytest\n"), []],
    [
      CI,
      job("    env:\n      V: '3.12'\n    steps:\n      - run: V=3.8; uv run -p $V pytest\n"),
      ["unpinned 8:14"],
    ],
    [CI, job("    steps:\n      - run: uv run -p $V pytest\n"), ["unpinned 6:14"]],
    [CI, job("    steps:\n      - run: uv python install $V\n"), ["unpinned 6:14"]],
    [CI, job("    steps:\n      - run: uv python install\n"), []],
    [CI, job("    steps:\n      - run: uv python install --force 3.12\n"), []],
    [CI, job("    steps:\n      - run: uv run --python .venv/bin/python x.py\n"), []],
    [CI, job("    steps:\n      - run: uv venv --python\n"), []],
    [CI, job("    steps:\n      - run: nvm use 22; make python=3.8\n"), []],
    [CI, job("    steps:\n      - run: conda create -n x python=3.8 numpy\n"), [
      "out_of_range 6:14",
    ]],
    [CI, job("    env: {UV_PYTHON: '3.8'}\n    steps:\n      - run: uv sync\n"), [
      "out_of_range 5:22",
    ]],
    [CI, job("    steps:\n      - run: nvm install 18\n"), ["out_of_range 6:14"]],
    ["Dockerfile", "FROM debian:12\nRUN apt-get x && \\\n  uv python install 3.8\n", [
      "out_of_range 2:1",
    ]],
    ["Dockerfile", "FROM debian:12\nRUN <<EOF\nuv python install 3.8\nEOF\n", ["out_of_range 2:1"]],
    ["Dockerfile", "FROM debian:12\nENV UV_PYTHON=python3.8\n", ["out_of_range 2:5"]],
    ["Dockerfile", "\ufeffFROM node:18\n", ["out_of_range 1:6"]],
  ],
  "scripts": [
    ["a/b.py", '# /// script\n# requires-python = ">=3.8"\n# ///\n', ["out_of_range 2:3"]],
    ["a/b.py", '#!x\n\n# /// script\n#\n# requires-python = ">=3.11,<3.13"\n# ///\nx = 1\n', []],
    ["a/b.py", '# /// script\n#\n# requires-python = ">=3.8"\n# ///', ["out_of_range 3:3"]],
    ["a/b.py", "# x\n# ///\ny = '# /// script'\n", []],
    ["a/b.py", '# /// script\n# requires-python = ">=3.8"\n', []],
    ["a/b.py", '# /// script\nx\n# requires-python = ">=3.8"\n# ///\n', []],
    ["a/b.py", "# /// script\n# requires-python = >=3.8\n# ///\n", ["unpinned null:null"]],
    ["a/b.py", "x = '\u0000'\n", []],
    ["bin/tool", '#!x\n# /// script\n# requires-python = ">=3.8"\n# ///\n', ["out_of_range 3:3"]],
    ["a.pyw", '# /// script\n# requires-python = ">=3.8"\n# ///\n', ["out_of_range 2:3"]],
    ["a.sh", '# /// script\n# requires-python = ">=3.8"\n# ///\n', []],
  ],
};

for (const [name, cases] of Object.entries(CASES)) {
  Deno.test(`runtime reads what declares a runtime: ${name}`, PURE, () => assertCases(cases));
}

Deno.test("runtime passes over no value of a variable, however many there are", PURE, () => {
  const find = (values: readonly string[], image: string): string[] => {
    const matrix = values.map((value) => `"${value}"`).join(", ");
    const text = `a:\n  parallel: {matrix: [{V: [${matrix}]}]}\n  image: ${image}\n`;
    return checkDeclared({ ".gitlab-ci.yml": text }).map((line) => line.slice(0, 60));
  };
  const many = Array.from({ length: 255 }, () => "22");
  const [last = "", ...more] = find([...many, "18"], "node:$V");
  assertStringIncludes(last, "runtime.out_of_range .gitlab-ci.yml:2:");
  assertEquals(more, []);
  assertEquals(find([...many, "22"], "node:$V"), []);
  const unknown = 'runtime.unpinned .gitlab-ci.yml:3:10 image "node:$V" does no';
  assertEquals(find([...many, "22", "18"], "node:$V"), [unknown]);
  // The second variable makes more of each of the first one's.
  const [both = ""] = find([...many.slice(0, 16), "18"], "node:$V.$V");
  assertStringIncludes(both, "runtime.unpinned .gitlab-ci.yml:");
});

Deno.test("runtime reads every source of its table, under each of its names", PURE, () => {
  const policy = makePolicy();
  for (const source of SOURCES) {
    for (const name of source.files) {
      const path = name.replaceAll("*", "x");
      const found = sourcesOf(path, policy, source.runtimes);
      assert(found.includes(source), `${name} is not found as what it is`);
    }
  }
});

Deno.test("runtime finds every source that is there and cannot be read", PURE, () => {
  for (const { files: [name = ""], reader, runtimes } of SOURCES) {
    if (name === "*.py") continue;
    const path = name.replaceAll("*", "x");
    const policy = makePolicy(
      Object.fromEntries(runtimes.map((runtime) => [runtime, ">=1"])),
    );
    const [found = "", ...more] = checkDeclared(
      { [path]: { ok: false, reason: "it lies behind a link" } },
      policy,
    );
    assertEquals(more, [], reader.as);
    assertStringIncludes(found, "it may declare a runtime and cannot be read");
  }
});

Deno.test(
  "a setup action takes its version from package.json, mise.toml and their kind",
  PURE,
  () => {
    const find = (file: string, text: string, tool = "node"): string[] =>
      checkDeclared({
        [CI]: job(
          `    steps:\n      - uses: actions/setup-${tool}@v4\n        with: {${tool}-version-file: ${file}}\n`,
        ),
        [file]: text,
      }).map((line) => line.split(" ", 2).join(" "));
    assertEquals(find("package.json", '{"volta": {"node": "22.1.0"}}'), []);
    assertEquals(find("package.json", '{"engines": {"node": "18"}}'), [
      "runtime.out_of_range package.json:1:22",
    ]);
    assertEquals(find("package.json", "{}"), [`runtime.unpinned ${CI}:7:35`]);
    assertEquals(find("mise.toml", '[tools]\nnode = "22"\n'), []);
    assertEquals(find("mise.toml", "[tools]\n"), [`runtime.unpinned ${CI}:7:35`]);
    // This one is read, and setup-python does not take a version from it.
    assertEquals(find("setup.cfg", "[options]\npython_requires = >=3.11,<3.13\n", "python"), [
      `runtime.unpinned ${CI}:7:37`,
    ]);
    assertEquals(find("Pipfile", '[requires]\npython_version = "3.12"\n', "python"), []);
  },
);
