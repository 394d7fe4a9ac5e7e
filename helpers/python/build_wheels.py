#!/usr/bin/env python3
"""Builds the wheels of pytest-hsharness, one for each system, with the program in it.

    python3 build_wheels.py --programs dist --out dist/python [linux/amd64 ...]

The programs are where `make cross` writes them: dist/linux/amd64/hsharness and so on.
It is the build backend of pyproject.toml, too: a wheel of this folder has no program.
The standard library is enough, nothing is fetched, and the same files make the same
wheels.
"""

import argparse
import base64
import gzip
import hashlib
import io
import os
import re
import sys
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))

# The program is linked statically on Linux, and needs macOS 12 as its Go does.
TAGS = {
    "linux/amd64": ["manylinux2014_x86_64", "manylinux_2_17_x86_64", "musllinux_1_1_x86_64"],
    "linux/arm64": ["manylinux2014_aarch64", "manylinux_2_17_aarch64", "musllinux_1_1_aarch64"],
    "darwin/amd64": ["macosx_12_0_x86_64"],
    "darwin/arm64": ["macosx_12_0_arm64"],
    "windows/amd64": ["win_amd64"],
    "windows/arm64": ["win_arm64"],
}


def main():
    parser = argparse.ArgumentParser(description="build the wheels of pytest-hsharness")
    parser.add_argument("--programs", default=os.path.join(HERE, "..", "..", "dist"), metavar="FOLDER", help="where make cross writes the programs")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where the wheels go")
    parser.add_argument("--version", metavar="VERSION", help="the version of the wheels; without it that of pyproject.toml")
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help="such as linux/amd64; all of them without one")
    args = parser.parse_args()
    for system in args.systems or TAGS:
        if system not in TAGS:
            parser.error("%s is none of %s" % (system, ", ".join(TAGS)))
        name = "hsharness.exe" if system.startswith("windows/") else "hsharness"
        program = os.path.join(args.programs, *system.split("/"), name)
        if not os.path.isfile(program):
            sys.exit("build_wheels: there is no %s: make cross" % program)
        print(build(system, program, args.out, args.version))


def build(system, program, out, version=None):
    """Writes the wheel of one system, and returns its path."""
    files = modules()
    files["pytest_hsharness/bin/" + os.path.basename(program)] = (read(program), 0o755)
    # Only with the program: without it the command would shadow the one in PATH.
    command = "[console_scripts]\nhsharness = pytest_hsharness.binary:main\n\n"
    return write(out, files, TAGS[system], settings(version), command, licence("LICENSE") + licence("THIRD_PARTY_NOTICES"))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 517: a wheel without the program, for every system."""
    return os.path.basename(write(wheel_directory, modules(), ["any"], settings()))


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 660: a wheel that leads to this folder."""
    files = {"_pytest_hsharness.pth": ((HERE + "\n").encode(), 0o644)}
    return os.path.basename(write(wheel_directory, files, ["any"], settings()))


def build_sdist(sdist_directory, config_settings=None):
    """PEP 517: what a wheel is built of."""
    project = settings()
    root = "pytest_hsharness-" + project["version"]
    files = modules()
    for name in ("README.md", "build_wheels.py", "pyproject.toml"):
        files[name] = (read(os.path.join(HERE, name)), 0o644)
    files["PKG-INFO"] = (metadata(project, licence("LICENSE")).encode(), 0o644)
    files.update((name, content) for name, content in licence("LICENSE"))
    path = os.path.join(sdist_directory, root + ".tar.gz")
    with open(path, "wb") as out, gzip.GzipFile("", "wb", fileobj=out, mtime=0) as packed, tarfile.open(mode="w", fileobj=packed) as archive:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(root + "/" + name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return os.path.basename(path)


def modules():
    """The files of the package, with their modes."""
    package = os.path.join(HERE, "pytest_hsharness")
    names = [name for name in sorted(os.listdir(package)) if name.endswith(".py") or name == "py.typed"]
    return {"pytest_hsharness/" + name: (read(os.path.join(package, name)), 0o644) for name in names}


def licence(name):
    """A file of terms by its name, from beside this file or from the top of the clone."""
    for path in (os.path.join(HERE, name), os.path.join(HERE, "..", "..", name)):
        if os.path.isfile(path):
            return [(name, (read(path), 0o644))]
    return []


def write(out, files, tags, project, command="", terms=None):
    """Writes a wheel, and returns its path."""
    distribution = "pytest_hsharness-" + project["version"]
    info = distribution + ".dist-info/"
    terms = licence("LICENSE") if terms is None else terms
    wheel = "Wheel-Version: 1.0\nGenerator: build_wheels\nRoot-Is-Purelib: %s\n" % ("true" if tags == ["any"] else "false")
    for name, text in {
        "METADATA": metadata(project, terms),
        "WHEEL": wheel + "".join("Tag: py3-none-%s\n" % tag for tag in tags),
        "entry_points.txt": command + "[pytest11]\nhsharness = pytest_hsharness.plugin\n",
    }.items():
        files[info + name] = (text.encode(), 0o644)
    files.update((info + "licenses/" + name, content) for name, content in terms)
    record = "".join("%s,sha256=%s,%d\n" % (name, digest(data), len(data)) for name, (data, _) in files.items())
    files[info + "RECORD"] = ((record + info + "RECORD,,\n").encode(), 0o644)

    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, "%s-py3-none-%s.whl" % (distribution, ".".join(tags)))
    with zipfile.ZipFile(path + ".part", "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, (data, mode) in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the mode counts, wherever this was built
            entry.external_attr = (0o100000 | mode) << 16
            wheel.writestr(entry, data)
    os.replace(path + ".part", path)
    return path


def settings(version=None):
    """What pyproject.toml says, as far as it is needed: Python 3.9 has no reader of TOML."""
    text = read(os.path.join(HERE, "pyproject.toml")).decode()
    project = dict(re.findall(r'^([a-z-]+) = "(.*)"$', text, re.M))
    project["dependencies"] = re.findall(r'"([^"]+)"', re.search(r"^dependencies = \[(.*)\]$", text, re.M).group(1))
    project["classifiers"] = re.findall(r'^  "(.*)",$', text, re.M)
    project["version"] = (version or project["version"]).replace("-rc.", "rc")  # as Python spells it
    project["homepage"] = re.search(r'^Homepage = "(.*)"$', text, re.M).group(1)
    return project


def metadata(project, terms):
    lines = [
        "Metadata-Version: 2.1",
        "Name: " + project["name"],
        "Version: " + project["version"],
        "Summary: " + project["description"],
        "Home-page: " + project["homepage"],
        "License: Apache-2.0",
    ]
    lines += ["Classifier: " + name for name in project["classifiers"]]
    lines += ["Requires-Python: " + project["requires-python"]]
    lines += ["Requires-Dist: " + name for name in project["dependencies"]]
    lines += ["Description-Content-Type: text/markdown"] + ["License-File: " + name for name, _ in terms]
    return "\n".join(lines) + "\n\n" + read(os.path.join(HERE, "README.md")).decode()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
