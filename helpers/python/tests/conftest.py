"""A sandbox of our own that counts what it serves, projects that may use it, and the
pytest under test, in processes of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ET

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(HERE)
SECRET = "the-real-license-key"


@pytest.fixture(scope="session")
def program():
    named = os.environ.get("HSHARNESS_BIN")
    assert named, "HSHARNESS_BIN is not set: make helpers"
    return os.path.abspath(named)


def environment(**more):
    """This process's environment without what belongs to its own pytest."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "HSHARNESS_"))}
    environ.update(PYTHONPATH=PACKAGE, PYTEST_PLUGINS="pytest_hsharness.plugin", PYTHONDONTWRITEBYTECODE="1", CI="", NO_COLOR="1", COLUMNS="400")
    environ.update(more)
    return environ


class Project:
    """A folder with a suite in it."""

    def __init__(self, folder, program, suite):
        self.folder, self.program = str(folder), program
        self.environ = environment(HSHARNESS_BIN=program, XDG_STATE_HOME=self.folder, REAL_SECRET=SECRET)
        shutil.copy(os.path.join(HERE, "suites", "ask.py"), self.folder)
        shutil.copy(os.path.join(HERE, "suites", suite + ".py"), os.path.join(self.folder, "test_%s.py" % suite))

    def pytest(self, *args):
        return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml", "junit.xml", *args]

    def start(self, *command, **environ):
        return subprocess.Popen(
            command, cwd=self.folder, env={**self.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True, start_new_session=True,
            # A shell's job in the background ignores SIGINT, and so would all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def run(self, *command, code=0, **environ):
        process = self.start(*command, **environ)
        try:
            out = process.communicate(timeout=120)[0]
        finally:
            process.kill()
        assert process.returncode == code, out
        return out

    def hsharness(self, *args, code=0):
        return self.run(self.program, *args, code=code)

    def results(self):
        """What each test came to: its outcome, and what was said about it."""
        results = {}
        for case in ET.parse(os.path.join(self.folder, "junit.xml")).iter("testcase"):
            found = [child for child in case if child.tag in ("failure", "error", "skipped")]
            text = "\n".join("%s %s" % (child.get("message"), child.text) for child in case if child.tag != "properties")
            results[case.get("name")] = (found[0].tag if found else "passed", text)
        return results


@pytest.fixture
def suite(tmp_path, program):
    return lambda name: Project(tmp_path, program, name)


class Sandbox:
    """A service that counts, and the account of a project there."""

    def __init__(self, folder, program, granted):
        self.program = program
        command = [program, "serve", "--client", "real-id:" + SECRET, "--sandbox-allowance", str(granted), "--ready-file", "ready.json"]
        for name in ("identity", "api", "control"):
            command += ["--%s-addr" % name, "127.0.0.1:0"]
        self.process = subprocess.Popen(command, cwd=str(folder), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ready = json.loads(self.process.stdout.readline())

    def served(self):
        with urllib.request.urlopen(self.ready["control_url"] + "/usage") as answer:
            return json.load(answer)["sandbox"]["served"]

    def grant(self, project, granted):
        """Makes a suite's folder a project that may use the sandbox."""
        urls = self.ready["sandbox"]
        with open(os.path.join(project.folder, "hsharness.yaml"), "w") as file:
            file.write(
                "version: 1\nenvironments: { sandbox: { identity_url: %s, api_url: %s, client_id: real-id, client_secret: '${REAL_SECRET}' } }\n"
                % (urls["identity_url"], urls["api_url"])
            )
        project.hsharness("quota", "init", "--granted", str(granted))


@pytest.fixture
def sandbox(tmp_path_factory, program):
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), program, 1000)
    yield sandbox
    sandbox.process.terminate()
    sandbox.process.wait(20)


def wait_for(found, what, seconds=30):
    """What is found, as soon as there is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = found()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("waited %d s for %s" % (seconds, what))


@pytest.fixture
def waits_for():
    return wait_for
