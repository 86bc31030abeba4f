/** A glob with the reason why it is in a list. */
export interface ReasonedGlob {
  /** The glob. */
  readonly glob: string;
  /** Why git should not track it, or may. */
  readonly reason: string;
}

/** What git must not track where the policy does not say: what is nearly never tracked on purpose. */
export const BUILT_IN_DENY: readonly ReasonedGlob[] = [
  { glob: "runs/**", reason: "evidence of runs, which kprov writes" },

  { glob: "dist/**", reason: "build output" },
  { glob: "target/{debug,release,classes}/**", reason: "build output of Cargo and Maven" },
  { glob: "**/*.egg-info/**", reason: "build output of Python packages" },
  { glob: "**/{.next,.nuxt,.svelte-kit}/**", reason: "build output of web frameworks" },
  { glob: "**/*.tsbuildinfo", reason: "state of TypeScript's incremental builds" },

  { glob: "coverage/**", reason: "coverage reports" },
  { glob: "**/{htmlcov,.nyc_output}/**", reason: "coverage reports" },
  { glob: "**/.coverage", reason: "coverage data of Python" },

  { glob: "**/node_modules{,/**}", reason: "installed packages of Node" },
  { glob: "**/.venv{,/**}", reason: "an installed Python environment" },
  { glob: "**/{.tox,.nox,.eggs}/**", reason: "Python environments of test runners" },
  { glob: "**/.terraform/**", reason: "installed Terraform providers" },

  { glob: "**/__pycache__/**", reason: "compiled Python" },
  { glob: "**/*.{pyc,pyo}", reason: "compiled Python" },
  { glob: "**/{.mypy,.pytest,.ruff}_cache/**", reason: "caches of Python tools" },
  { glob: "**/.ipynb_checkpoints/**", reason: "automatic copies of notebooks" },
  { glob: "**/{.eslintcache,.stylelintcache}", reason: "caches of linters" },
  { glob: "**/{.gradle,.parcel-cache,.turbo}/**", reason: "caches of build tools" },
  { glob: "**/{npm-debug,yarn-error}.log", reason: "logs of failed installations" },

  { glob: "**/.DS_Store", reason: "folder settings of macOS" },
  { glob: "**/Thumbs.db", reason: "picture previews of Windows" },
  { glob: "**/.*.sw[op]", reason: "swap files of Vim" },
  { glob: "**/*~", reason: "backups of editors" },
  { glob: "**/#*#", reason: "automatic copies of Emacs" },
  { glob: "**/.#*", reason: "locks of Emacs" },
  { glob: "**/.idea/workspace.xml", reason: "personal state of JetBrains editors" },
  { glob: "**/*.{orig,rej}", reason: "left by a merge or patch that failed" },

  { glob: "**/.env", reason: "secrets of a deployment" },
  { glob: "**/.env.*", reason: "secrets of a deployment" },
  {
    glob: "**/id_{rsa,dsa,ecdsa,ecdsa_sk,ed25519,ed25519_sk}",
    reason: "private keys of SSH",
  },
  { glob: "**/*.ppk", reason: "private keys of PuTTY" },
  { glob: "**/*.{p12,pfx}", reason: "private keys with their certificates" },
  { glob: "**/*.kdbx", reason: "password databases" },
  { glob: "**/{.netrc,_netrc,.pgpass,.pypirc,.git-credentials}", reason: "stored passwords" },
  { glob: "**/.aws/credentials", reason: "access keys of AWS" },
  { glob: "**/*.tfstate{,.backup}", reason: "Terraform's state, which holds secrets" },
  {
    glob: "**/.{bash,zsh,python,node_repl,psql,mysql}_history",
    reason: "commands typed, with any secrets in them",
  },
];

/** What git may track all the same, beside {@linkcode BUILT_IN_DENY}. */
export const BUILT_IN_ALLOW: readonly ReasonedGlob[] = [
  {
    glob: "**/.env.{example,sample,template}",
    reason: "shows which settings there are, without their values",
  },
];
