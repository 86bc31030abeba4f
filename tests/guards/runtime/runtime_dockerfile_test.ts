import { assertEquals, assertStringIncludes } from "../../assert.ts";
import { assertCases, type Case, checkDeclared, DIGEST, makePolicy } from "./runtime_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function from(image: string, ...findings: string[]): Case {
  return ["Dockerfile", `FROM ${image}\n`, findings];
}

Deno.test("runtime judges the tag of a base image", PURE, () => {
  assertCases([
    from("node:22"),
    from("node:22-alpine"),
    from("node:22.1.0-bookworm-slim"),
    from("node:18-alpine", "out_of_range 1:6"),
    from("node:18.20.4", "out_of_range 1:6"),
    from("node", "unpinned 1:6"),
    from("node:latest", "unpinned 1:6"),
    from("node:lts-alpine", "unpinned 1:6"),
    from("node:alpine", "unpinned 1:6"),
    from("node:slim", "unpinned 1:6"),
    from("node:current", "unpinned 1:6"),
    from("node:jod"),
    from("node:hydrogen-slim", "out_of_range 1:6"),
    from("node:bullseye", "unpinned 1:6"),
    from("python:3.12-slim-bookworm"),
    from("python:3.11.9"),
    from("python:3.13.0rc1-slim", "out_of_range 1:6"),
    from("python:3.13-slim", "out_of_range 1:6"),
    from("python:3.12-rc-slim", "unpinned 1:6"),
    from("python:3", "out_of_range 1:6"),
    from("denoland/deno:2.9.6"),
    from("denoland/deno:alpine-2.9.6"),
    from("denoland/deno:debian-2.9.6"),
    from("denoland/deno:distroless-2.8.2"),
    from("denoland/deno:ubuntu-2.8.1", "out_of_range 1:6"),
    from("denoland/deno:bin-2.10.0", "out_of_range 1:6"),
    from("denoland/deno:alpine", "unpinned 1:6"),
    from("denoland/deno", "unpinned 1:6"),
    from("--platform=linux/amd64 node:18 AS build", "out_of_range 1:29"),
    from("scratch"),
    from("debian:12"),
    from("postgres"),
  ]);
});

Deno.test("runtime judges the tag beside a digest, and no digest without a tag", PURE, () => {
  assertCases([
    from(`node:22-alpine@${DIGEST}`),
    from(`node:18-alpine@${DIGEST}`, "out_of_range 1:6"),
    from(`node@${DIGEST}`, "unpinned 1:6"),
    from(`debian@${DIGEST}`),
  ]);
});

Deno.test("runtime knows the official images behind every registry", PURE, () => {
  assertCases([
    from("docker.io/library/node:18", "out_of_range 1:6"),
    from("library/node:18", "out_of_range 1:6"),
    from("mirror.gcr.io/library/python:3.9", "out_of_range 1:6"),
    from("public.ecr.aws/docker/library/python:3.9", "out_of_range 1:6"),
    from("localhost:5000/node:18", "out_of_range 1:6"),
    from("ghcr.io/denoland/deno:2.7.0", "out_of_range 1:6"),
    from("gitlab.example/group/dependency_proxy/containers/node:18", "out_of_range 1:6"),
  ]);
});

Deno.test("runtime judges images of whoever publishes them", PURE, () => {
  assertCases([
    from("ghcr.io/acme/node:18", "out_of_range 1:6"),
    from("acme/deno:latest", "unpinned 1:6"),
    from("mcr.microsoft.com/devcontainers/python:3.8", "out_of_range 1:6"),
    from("mcr.microsoft.com/devcontainers/python:1-3.12-bookworm"),
    from("mcr.microsoft.com/devcontainers/python:1-3.8-bookworm", "out_of_range 1:6"),
    from("mcr.microsoft.com/vscode/devcontainers/python:0.202-3.8", "out_of_range 1:6"),
    from("mcr.microsoft.com/devcontainers/javascript-node:1-18-bookworm", "out_of_range 1:6"),
    from("mcr.microsoft.com/devcontainers/typescript-node:22"),
    from("public.ecr.aws/lambda/python:3.8", "out_of_range 1:6"),
    from("public.ecr.aws/lambda/nodejs:22"),
    from("amazon/aws-lambda-python:3.8", "out_of_range 1:6"),
    from("public.ecr.aws/sam/build-nodejs18.x", "out_of_range 1:6"),
    from("gcr.io/distroless/nodejs16", "out_of_range 1:6"),
    from("gcr.io/distroless/nodejs22-debian12:nonroot"),
    from("gcr.io/distroless/python3-debian12", "out_of_range 1:6"),
    from("cgr.dev/chainguard/node:latest", "unpinned 1:6"),
    from("cgr.dev/chainguard/python", "unpinned 1:6"),
    from("registry.access.redhat.com/ubi9/python-38:1-1", "out_of_range 1:6"),
    from("registry.access.redhat.com/ubi9/nodejs-22-minimal"),
    from("ghcr.io/astral-sh/uv:python3.8-bookworm", "out_of_range 1:6"),
    from("ghcr.io/astral-sh/uv:0.5-python3.12-alpine"),
    from("ghcr.io/astral-sh/uv:0.5"),
    from("mcr.microsoft.com/azure-functions/python:4-python3.8", "out_of_range 1:6"),
    from("nikolaik/python-nodejs:python3.8-nodejs18", "out_of_range 1:6", "out_of_range 1:6"),
    from("circleci/python:3.12-node"),
    // A runtime in the tag takes nothing from the one in the name, and counts once.
    from("acme/python:3.8-node22", "out_of_range 1:6"),
    from("acme/python:slim-python3.8", "out_of_range 1:6"),
    from("circleci/ruby:2.7-node8", "out_of_range 1:6"),
    from("acme/tool:1-py312"),
    from("ubi9/python-312:1"),
    from("acme/python3:3.12"),
    from("acme/python3:latest", "out_of_range 1:6"),
    from("python:iron", "unpinned 1:6"),
    // Only images of devcontainers have a version of their own before it.
    from("acme/python:1-3.12", "out_of_range 1:6"),
    from("pytorch/pytorch:2.1-py3"),
    from("node-exporter:1"),
    from("public.ecr.aws/lambda/python:3.12.2024.11.06.16-x86_64"),
    from("public.ecr.aws/lambda/nodejs:18.2024.11.06.16", "out_of_range 1:6"),
    // The variant of an image for development is no pre-release of what is in it.
    from("cgr.dev/chainguard/python:3.12-dev"),
    from("cgr.dev/chainguard/python:3.8-dev", "out_of_range 1:6"),
    from("kindest/node:v1.29.2"),
    from("quay.io/calico/node:v3.26.1"),
    from("nodered/node-red:1"),
    from("acme/python-app:1"),
  ]);
});

Deno.test("runtime puts in the defaults of build arguments", PURE, () => {
  const file = (head: string, image: string, ...findings: string[]): Case => [
    "Dockerfile",
    `${head}\nFROM ${image}\n`,
    findings,
  ];
  assertCases([
    file("ARG V=22", "node:${V}-alpine"),
    file("ARG V=18", "node:$V-alpine", "out_of_range 2:6"),
    file('ARG V="18"', "node:${V}", "out_of_range 2:6"),
    file("ARG V=18", "node:${V:-22}", "out_of_range 2:6"),
    file("ARG V", "node:${V:-22}"),
    file("ARG V=", "node:${V:-22}"),
    file("ARG V=", "node:${V-22}", "unpinned 2:6"),
    file("ARG V", "node:${V}", "unpinned 2:6"),
    file("# no argument", "node:${V}", "unpinned 2:6"),
    file("ARG V=22", "node:${V:+18}", "unpinned 2:6"),
    file("ARG BASE=node:18", "${BASE}", "out_of_range 2:6"),
    file("ARG BASE", "${BASE}", "unpinned 2:6"),
    file("ARG REGISTRY", "${REGISTRY}/library/node:22"),
    file("ARG REGISTRY", "${REGISTRY}/node:22"),
    file("ARG REGISTRY", "${REGISTRY}/node:18", "out_of_range 2:6"),
    file("ARG V=3.8", "ghcr.io/astral-sh/uv:python${V}-alpine", "out_of_range 2:6"),
    file("ARG V", "ghcr.io/astral-sh/uv:python${V}-alpine", "unpinned 2:6"),
    file("ARG TAG", "postgres:${TAG}"),
    file("ARG A=18 B=node:${A}", "${B}", "out_of_range 2:6"),
    file("FROM debian:12\nARG V=22", "node:${V}", "unpinned 3:6"),
    file("# template", "{{ base }}", "unpinned 2:6"),
  ]);
});

Deno.test("runtime bounds build arguments that are made of build arguments", PURE, () => {
  const bomb = Array.from({ length: 60 }, (_, i) => `ARG A${i + 1}=\${A${i}}\${A${i}}\n`).join("");
  assertCases([
    ["Dockerfile", `ARG A0=node:18\n${bomb}FROM \${A60}\n`, ["unpinned 62:6"]],
    ["Dockerfile", `FROM \${A:-${"x".repeat(5000)}}\n`, ["unpinned 1:6"]],
  ]);
});

Deno.test("runtime reads the images that are copied or mounted from", PURE, () => {
  const file = (text: string, ...findings: string[]): Case => [
    "Dockerfile",
    `FROM debian:12 AS base\n${text}\n`,
    findings,
  ];
  assertCases([
    file("COPY --from=denoland/deno:bin-2.9.6 /deno /usr/local/bin/deno"),
    file("COPY --from=denoland/deno:bin-2.7.0 /deno /deno", "out_of_range 2:6"),
    file("COPY --chown=1 --from=node:latest /a /b", "unpinned 2:16"),
    file("COPY --from=base /a /b"),
    file("COPY --from=BASE /a /b"),
    file("COPY --from=0 /a /b"),
    file("RUN --mount=type=bind,from=node:18,target=/n x", "out_of_range 2:5"),
    file("RUN --mount=type=cache,target=/n x"),
    file("RUN --network=node:18 x"),
    file("ENV UV_PYTHON=3.12"),
    file("ENV UV_PYTHON=3.8", "out_of_range 2:5"),
    file("ENV PYTHON=3.8 NODE=18"),
    file("ENV A=1 UV_PYTHON=$X", "unpinned 2:9"),
    // What the file sets is known to what follows it in the stage.
    file("ARG V=3.8\nENV UV_PYTHON=$V", "out_of_range 3:5"),
    file("ARG V=3.12\nENV UV_PYTHON=${V}"),
    file("ARG V\nENV UV_PYTHON=${V}", "unpinned 3:5"),
    file("ARG UV_PYTHON=3.8", "out_of_range 2:5"),
    file("ARG UV_PYTHON"),
    file("ENV V=3.8\nRUN uv python install $V", "out_of_range 3:1"),
    file("ENV V=3.12\nRUN uv python install $V"),
    file("RUN uv python install $V\nENV V=3.12", "unpinned 2:1"),
    file("ENV V=3.12\nFROM base\nRUN uv python install $V"),
    file("ENV V=3.12\nFROM debian\nRUN uv python install $V", "unpinned 4:1"),
    file("ARG V=3.12\nFROM base\nRUN uv python install $V", "unpinned 4:1"),
    file("ONBUILD COPY --from=node:18 /a /b", "out_of_range 2:14"),
    file("RUN <<EOF\nFROM node:18\nEOF"),
    file("# FROM node:18"),
    file("RUN echo \\\n  FROM node:18"),
  ]);
});

Deno.test("runtime takes a stage for what it is, once it is there", PURE, () => {
  assertCases([
    ["Dockerfile", "FROM node:22 AS node\nFROM node\nFROM Node\n", []],
    ["Dockerfile", "ARG S=slim\nFROM node:22 AS node-slim\nFROM node-${S}\n", []],
    ["Dockerfile", "FROM alpine AS base-arm64\nFROM base-${TARGETARCH}\n", []],
    ["Dockerfile", "FROM alpine AS base\nFROM base-${TARGETARCH}\n", ["unpinned 2:6"]],
    ["Dockerfile", "FROM alpine AS base\nFROM ${TARGET}\n", ["unpinned 2:6"]],
    ["Dockerfile", "ARG V=3.12\nFROM alpine\nARG V\nRUN uv venv -p $V\n", []],
    ["Dockerfile", "ARG V=3.12\nFROM alpine\nRUN uv venv -p $V\n", ["unpinned 3:1"]],
    ["Dockerfile", "FROM node AS node\n", ["unpinned 1:6"]],
    ["Dockerfile", "FROM python AS a\nFROM node:18 AS b\n", ["unpinned 1:6", "out_of_range 2:6"]],
  ]);
});

Deno.test("runtime finds Dockerfiles under all their names", PURE, () => {
  const found = [
    "Dockerfile",
    "a/b/Dockerfile",
    "dockerfile",
    "Dockerfile.dev",
    "build.Dockerfile",
    "Containerfile",
    "x/Containerfile.ci",
  ];
  const other = [
    "Dockerfile.dockerignore",
    "docs/Dockerfiles",
    "Dockerfile-old",
    "node_modules/a/Dockerfile",
    "a/node_modules/b/Dockerfile",
  ];
  for (const path of found) assertCases([[path, "FROM node", ["unpinned 1:6"]]]);
  for (const path of other) assertCases([[path, "FROM node", []]]);
});

Deno.test("runtime takes the policy's word for which files are Dockerfiles", PURE, () => {
  const policy = { ...makePolicy(), identity: { dockerfiles: ["**/*.docker"] } };
  assertCases([
    ["images/app.docker", "FROM node", ["unpinned 1:6"]],
    ["app.docker", "FROM node", ["unpinned 1:6"]],
    ["Dockerfile", "FROM node", []],
  ], policy);
});

Deno.test("runtime says why an image cannot be judged", PURE, () => {
  const [found = ""] = checkDeclared({ Dockerfile: "ARG V\nFROM node:${V}" });
  assertEquals(
    found,
    'runtime.unpinned Dockerfile:2:6 FROM "node:${V}" does not pin node: its tag cannot be ' +
      "determined: a build argument has no default that is known",
  );
  const [any = ""] = checkDeclared({ Dockerfile: "ARG B\nFROM ${B}" });
  assertStringIncludes(any, "does not pin an image: the image cannot be determined");
});

Deno.test(
  "runtime judges what the repository's builds give an argument, where it is given",
  PURE,
  () => {
    const find = (version: string, args: string, path = "compose.yaml"): string[] =>
      checkDeclared({
        "app/Dockerfile": `ARG V${version}\nFROM node:$V AS a\nARG V\nRUN nvm install $V\n`,
        [path]: path.endsWith("yaml")
          ? `services: {a: {build: {context: ./app, args: ${args}}}}`
          : `{"build": {"dockerfile": "../app/Dockerfile", "args": ${args}}}`,
      }).map((line) => line.split(" ", 2).join(" ").replace("runtime.", ""));
    const json = ".devcontainer/devcontainer.json";
    // Both the image and the command in it take what is given.
    const outside = (place: string): string[] => [`out_of_range ${place}`, `out_of_range ${place}`];
    assertEquals(find("=22", "{V: 22}"), []);
    assertEquals(find("=22", "{V: 18}"), outside("compose.yaml:1:46"));
    assertEquals(find("=22", "[V=18, W]"), outside("compose.yaml:1:46"));
    assertEquals(find("=22", "{W: 18}"), []);
    // A default can be built with as well; where there is none, what is given takes its place.
    assertEquals(find("=18", "{V: 22}"), [
      "out_of_range app/Dockerfile:2:6",
      "out_of_range app/Dockerfile:4:1",
    ]);
    assertEquals(find("", "{V: 22}"), []);
    assertEquals(find("", "{V: '${N:-22}'}"), []);
    assertEquals(find("", "{V: '${N}'}").map((it) => it.split(" ", 1)[0]), [
      "unpinned",
      "unpinned",
    ]);
    assertEquals(find("", "{V: }").length, 2);
    assertEquals(find("", '{"V": "22"}', json), []);
    assertEquals(find("=22", '{"V": "18"}', json), outside(`${json}:1:55`));
    // What one image is built with says nothing of another.
    const two = {
      "app/Dockerfile": "ARG V\nFROM node:$V\n",
      "web/Dockerfile": "ARG V\nFROM node:$V\n",
      "compose.yaml": "services: {a: {build: {context: ./app, args: {V: 22}}}}",
    };
    assertEquals(checkDeclared(two).map((line) => line.split(" ", 2).join(" ")), [
      "runtime.unpinned web/Dockerfile:2:6",
    ]);
  },
);
