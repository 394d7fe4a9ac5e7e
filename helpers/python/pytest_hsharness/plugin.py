"""The plugin of pytest: a fixture, a marker, and how they end."""

import os
import shlex
import shutil

import pytest

from .client import Hsharness
from .error import HsharnessError
from .guard import Guards

_GUARDS = pytest.StashKey()
_RULES = ("max", "mode", "operations")
_SUM = ("requests", "units", "spent")


class Again:
    """How a person runs one test again."""

    def __init__(self, config, environ, nodeid):
        runner = ["pytest"] if shutil.which("pytest") else ["python3", "-m", "pytest"]
        self.words = " ".join(shlex.quote(word) for word in runner + ([config.cwd_relative_nodeid(nodeid)] if nodeid else []))
        self.line = self.words
        if environ.get("HSHARNESS_MODE"):
            mode = environ["HSHARNESS_MODE"]
            around = environ.get("HSHARNESS_CONTROL_URL")
            self.line = ("hsharness exec --mode %s -- %s" if around else "HSHARNESS_MODE=%s %s") % (mode, self.words)
            if around and mode in ("record", "live"):
                self.line = "hsharness exec --mode %s --max-spend N -- %s" % (mode, self.words)


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        'hsharness(max=3, mode="replay", operations=[...]): the most units that the test may use, the mode of its answers'
        " (offline or replay; inside hsharness exec none that goes further), dearer prices. It gives the test the fixture, too.",
    )
    environ, folder = dict(os.environ), str(config.invocation_params.dir)
    guards = Guards(environ, folder, "hsharness exec -- " + Again(config, {}, "").words, _terminal())
    config.stash[_GUARDS] = guards
    if hasattr(config, "workerinput"):
        guards.watch(os.getppid())


def _terminal():
    """Where pytest writes what it does not capture, for what is said when it is gone."""
    try:
        return os.dup(2)
    except OSError:
        return None


def pytest_unconfigure(config):
    guards = config.stash.get(_GUARDS, None)
    if guards is not None:
        del config.stash[_GUARDS]
        guards.stop()


@pytest.fixture(autouse=True)
def _hsharness_marked(request):
    if request.node.get_closest_marker("hsharness"):
        request.getfixturevalue("hsharness")


@pytest.fixture
def hsharness(request, monkeypatch):
    """Mock services, a clock, faults and counts of the test's own; the variables HSHARNESS_* lead to them, too.

    A request that was refused or had no recording fails the test, whatever the code under
    test made of it.
    """
    item, guards = request.node, request.config.stash[_GUARDS]
    again, rules = Again(request.config, guards.environ, item.nodeid), {}
    try:
        rules = _rules(item)
        guard = guards.get(rules.get("mode"), str(item.path))
        client = Hsharness(guard, item.nodeid, again, rules)
    except HsharnessError as error:
        text = "hsharness: %s: %s" % (item.nodeid, error.text)
        if error.field == "mode" and rules["mode"] in ("offline", "replay"):
            text += "\n  run it as far as its marker says: hsharness exec --mode %s -- %s" % (rules["mode"], again.words)
        raise pytest.fail.Exception(text, pytrace=False) from None
    for name, value in client.environ.items():
        monkeypatch.setenv(name, value)
    item.runtest = _judged(item, client)
    yield client
    del item.runtest
    problems = client._end()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def _rules(item):
    """What the markers say, the closest first."""
    rules = {}
    for mark in item.iter_markers("hsharness"):
        unknown = [name for name in mark.kwargs if name not in _RULES]
        if mark.args or unknown:
            wrong = unknown[0] if unknown else repr(mark.args[0])
            raise HsharnessError("its marker has %s: it takes %s, each by name" % (wrong, ", ".join(_RULES)))
        for name, value in mark.kwargs.items():
            rules.setdefault(name, value)
    return {name: value for name, value in rules.items() if value is not None}


def _judged(item, client):
    """The test itself, and then what became of its requests."""
    run = item.runtest

    def runtest():
        __tracebackhide__ = True
        refused = []
        try:
            run()
        except (KeyboardInterrupt, pytest.exit.Exception):
            raise
        except pytest.skip.Exception:
            refused = client._problems(skipped=True)
            if not refused:
                raise
        except BaseException:
            problems = client._problems()
            _count(item, client)
            if problems:
                item.add_report_section("call", "hsharness", "\n".join(problems))
            raise
        _fail(item, client, refused or client._problems())

    return runtest


def _fail(item, client, problems):
    __tracebackhide__ = True
    _count(item, client)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def _count(item, client):
    """Numbers for JUnit and for the end, also where workers ran the tests."""
    if client._told:
        for name in _SUM:
            item.user_properties.append(("hsharness_" + name, client._told[1].get(name, 0)))


def pytest_terminal_summary(terminalreporter):
    tests, total = 0, dict.fromkeys(_SUM, 0)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                counted = dict(report.user_properties)
                if "hsharness_units" in counted:
                    tests += 1
                    for name in _SUM:
                        total[name] += counted["hsharness_" + name]
    if tests:
        terminalreporter.write_line(
            "hsharness: %d tests, %d requests that cost %d units at the price list, spent %d" % (tests, *total.values())
        )
