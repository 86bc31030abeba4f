# Asked by kprov of the Python that a command runs on: python -B -c <this> <search> <wants packages>
# <search> is the directory that stands first on sys.path, "." for the working directory, or "".
# Reads only. Runs on every Python since 2.7; packages are told by those that have importlib.metadata.
import json
import os
import sys


def describe():
    version = "%d.%d.%d" % sys.version_info[:3]
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(sys.version_info[3])
    if level:
        version += "%s%d" % (level, sys.version_info[4])
    executable = getattr(sys, "_base_executable", None) or sys.executable
    conda = os.path.join(os.path.realpath(getattr(sys, "base_prefix", sys.prefix)), "conda-meta")
    return {
        "version": version,
        "implementation": implementation(),
        "executable": os.path.realpath(executable) if executable else None,
        "conda": conda if os.path.isdir(conda) else None,
    }


def implementation():
    own = getattr(sys, "implementation", None)
    if own is None:
        return "pypy" if hasattr(sys, "pypy_version_info") else "cpython"
    if tuple(own.version[:3]) == tuple(sys.version_info[:3]):
        return own.name
    return "%s %d.%d.%d" % ((own.name,) + tuple(own.version[:3]))


def set_search_path(directory):
    flags = sys.flags
    if getattr(flags, "isolated", False) or getattr(flags, "safe_path", False):
        return
    sys.path[0:1] = [os.path.abspath(directory)] if directory else []


def packages():
    try:
        from importlib.metadata import distributions
    except ImportError:
        return {"packages": None, "reason": "this version of it has no importlib.metadata"}
    found, unnamed = {}, 0
    for distribution in distributions():
        name, version = headers(distribution)
        if not name:
            unnamed += 1
            continue
        # The first on the search path is the one that is used.
        found.setdefault(normalise(name), (distribution, version))
    return {
        "packages": [package(name, *found[name]) for name in sorted(found)],
        "unnamed": unnamed,
    }


def headers(distribution):
    found = {"name": None, "version": None}
    text = read(distribution, "METADATA") or read(distribution, "PKG-INFO") or read(distribution, "")
    for line in (text or "").splitlines():
        if not line:
            break
        key, colon, value = line.partition(":")
        if colon and found.get(key.lower(), 0) is None:
            found[key.lower()] = value.strip() or None
    return found["name"], found["version"]


def read(distribution, name):
    try:
        return distribution.read_text(name)
    except Exception:
        return None


def normalise(name):
    import re
    return re.sub(r"[-_.]+", "-", name).lower()


def package(name, distribution, version):
    try:
        direct = json.loads(read(distribution, "direct_url.json") or "{}")
    except ValueError:
        direct = {}
    record = read(distribution, "RECORD")
    return {
        "name": name,
        "version": version,
        "direct_url": direct,
        "sha256": digest(record) if record else None,
    }


# What the installer writes beside what the package holds; some of it says where the environment is.
OWN = {
    "INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "provenance_url.json", "uv_build.json",
    "uv_cache.json",
}


def digest(record):
    import csv
    from hashlib import sha256
    rows = []
    for row in csv.reader(record.splitlines()):
        path = row[0].replace("\\", "/") if row else ""
        folder, _, name = path.rpartition("/")
        # Scripts stand outside of site-packages and name their interpreter.
        outside = path.startswith(("/", "../")) or path[1:2] == ":"
        own = folder.endswith(".dist-info") and "/" not in folder and name in OWN
        if path and not (outside or own or path.endswith(".pyc")):
            rows.append(",".join((row + ["", ""])[:3]).encode("utf-8", "surrogateescape"))
    return sha256(b"".join(row + b"\n" for row in sorted(rows))).hexdigest()


answer = describe()
set_search_path(sys.argv[1])
if sys.argv[2] == "1":
    answer.update(packages())
sys.stdout.write("\nkprov:" + json.dumps(answer) + "\n")
sys.stdout.flush()
# Nothing that start-up code left behind, such as atexit or a thread, runs on.
os._exit(0)
