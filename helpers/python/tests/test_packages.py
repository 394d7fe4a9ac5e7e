"""The wheel of this system and the folder itself, installed without a registry."""

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest
from conftest import PACKAGE, environment

sys.path.insert(0, PACKAGE)
import build_wheels
import mutants

MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
SYSTEM = "%s/%s" % (platform.system().lower(), MACHINES[platform.machine()])


def command(*words, folder, **environ):
    done = subprocess.run(words, cwd=str(folder), env=environment(PYTEST_PLUGINS="", PYTHONPATH="", **environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def venv(tmp_path):
    """The bin folder of an environment that has pytest and pip of the system, and nothing of ours."""
    command(sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", "venv", folder=tmp_path)
    return str(tmp_path / "venv" / "bin")


SUITE = '''import os, shutil, subprocess
def test_it(hsharness):
    assert hsharness.mode == "offline"
    with hsharness.expect_calls(0):
        assert hsharness.token()
'''


def test_the_wheel_brings_the_program(tmp_path, program, venv):
    (tmp_path / "dist" / SYSTEM).mkdir(parents=True)
    shutil.copy(program, tmp_path / "dist" / SYSTEM / "hsharness")
    script = os.path.join(PACKAGE, "build_wheels.py")
    wheel = tmp_path / command(sys.executable, script, "--programs", "dist", "--out", "wheels", SYSTEM, folder=tmp_path).strip()
    with zipfile.ZipFile(wheel) as content:
        info = next(name for name in content.namelist() if name.endswith(".dist-info/METADATA"))
        text = content.read(info).decode()
        assert "License: Apache-2.0\n" in text and "Requires-Python: >=3.9\n" in text and "Requires-Dist: pytest>=7.0\n" in text
        for terms in ("LICENSE", "THIRD_PARTY_NOTICES"):
            assert "License-File: %s\n" % terms in text
            assert any(name.endswith(".dist-info/licenses/" + terms) for name in content.namelist())
    command(venv + "/python", "-m", "pip", "install", "-q", "--no-index", "--no-compile", str(wheel), folder=tmp_path)
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_it.py").write_text(SUITE)
    out = command(venv + "/python", "-m", "pytest", "-p", "no:cacheprovider", folder=suite, PATH="/usr/bin:/bin", HSHARNESS_BIN="")
    assert "1 passed" in out and "hsharness: 1 tests, 0 requests" in out
    assert platform.system().lower() in command(venv + "/hsharness", "version", folder=suite, PATH="/usr/bin:/bin")
    command(venv + "/python", "-m", "pip", "uninstall", "-q", "-y", "pytest-hsharness", folder=suite)
    left = [name for _, _, names in os.walk(tmp_path / "venv") for name in names if "hsharness" in name]
    assert left == []


# As docs/pytest.md has it it is installed where that page is typed.
@pytest.mark.parametrize("how", ["-e", "--no-build-isolation"])
def test_the_folder_installs_without_a_registry(tmp_path, program, venv, how):
    command(venv + "/python", "-m", "pip", "install", "-q", "--no-index", "--no-compile", how, PACKAGE, folder=tmp_path)
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_it.py").write_text(SUITE)
    out = command(venv + "/python", "-m", "pytest", "-p", "no:cacheprovider", folder=suite, HSHARNESS_BIN=program)
    assert "1 passed" in out
    assert not os.path.exists(venv + "/hsharness"), "a command without the program shadows the one in PATH"
    show = command(venv + "/python", "-m", "pip", "show", "pytest-hsharness", folder=suite)
    project = build_wheels.settings()
    assert "Version: %s\n" % project["version"] in show and "License: Apache-2.0\n" in show


def test_the_source_builds_the_same_wheel(tmp_path):
    name = build_wheels.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / name) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / name[: -len(".tar.gz")]
    wheel = tmp_path / build_wheels.build_wheel(str(tmp_path))
    first = wheel.read_bytes()
    wheel.unlink()
    command(sys.executable, "-c", "import build_wheels; build_wheels.build_wheel('..')", folder=folder)
    assert wheel.read_bytes() == first


def test_the_same_files_make_the_same_wheel(tmp_path):
    for system in build_wheels.TAGS:
        program = tmp_path / "hsharness"
        program.write_text("a program")
        first = build_wheels.build(system, str(program), str(tmp_path / "1"))
        program.touch()
        second = build_wheels.build(system, str(program), str(tmp_path / "2"))
        with open(first, "rb") as one, open(second, "rb") as other:
            assert one.read() == other.read()
        assert os.path.basename(first).startswith("pytest_hsharness-0.0.0-py3-none-")


@pytest.mark.parametrize("platform", ["musllinux_1_1_aarch64", "macosx_14_0_arm64", "win_amd64"])
def test_pip_takes_the_wheel_of_its_system(tmp_path, platform):
    program = tmp_path / "hsharness"
    program.write_text("a program")
    wheels = [build_wheels.build(system, str(program), str(tmp_path / "wheels"), "1.2.3") for system in build_wheels.TAGS]
    words = ["--no-index", "--no-deps", "--only-binary=:all:", "--python-version", "3.9", "--platform", platform]
    command(sys.executable, "-m", "pip", "download", "-q", "-f", "wheels", "-d", "taken", *words, "pytest-hsharness==1.2.3", folder=tmp_path)
    (taken,) = os.listdir(tmp_path / "taken")
    assert [name for name in map(os.path.basename, wheels) if platform.split("_")[0] in name and platform.split("_")[-1] in name] == [taken]


def test_every_system_has_a_wheel():
    """Those of the Makefile, which are those that a release is for."""
    with open(os.path.join(PACKAGE, "..", "..", "Makefile")) as file:
        systems = next(line for line in file if line.startswith("SYSTEMS = ")).split()[2:]
    assert sorted(systems) == sorted(build_wheels.TAGS)


def test_the_oldest_python_reads_it():
    import ast

    for folder in (PACKAGE, os.path.join(PACKAGE, "pytest_hsharness")):
        for name in os.listdir(folder):
            if name.endswith(".py"):
                with open(os.path.join(folder, name)) as file:
                    ast.parse(file.read(), name, feature_version=(3, 9))


def test_every_mutant_applies():
    for breaks, file, old, _, killer in mutants.ROWS:
        with open(os.path.join(PACKAGE, "pytest_hsharness", file)) as source:
            assert source.read().count(old) == 1, breaks
        with open(os.path.join(PACKAGE, "tests", killer.split("::")[0])) as source:
            assert "def %s(" % killer.split("::")[-1] in source.read() or "::" not in killer, breaks
