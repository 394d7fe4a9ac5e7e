"""Whoever is killed, nothing stays behind, and somebody says why."""

import os
import signal
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes in /proc")


def below(root):
    """The processes below one, by their ids, and what each runs."""
    parents, words = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name) as file:
                fields = file.read().rpartition(")")[2].split()
            with open("/proc/%s/cmdline" % name) as file:
                words[int(name)] = file.read().replace("\0", " ")
        except OSError:
            continue  # it has ended
        if fields[0] != "Z":
            parents[int(name)] = int(fields[1])
    found, more = {}, {root}
    while more:
        more = {pid for pid, parent in parents.items() if parent in more and pid not in found}
        found.update((pid, words.get(pid, "")) for pid in more)
    return found


def alive(pids):
    return [pid for pid in pids if os.path.exists("/proc/%d" % pid) and " Z " not in open("/proc/%d/stat" % pid).read()]


def gone(pids):
    def look():
        try:
            return not alive(pids)
        except OSError:
            return False  # one ended just now

    return look


class Held:
    """A suite whose tests wait."""

    def __init__(self, project, waits_for, tests, *args, around=()):
        self.folder, self.waits_for = project.folder, waits_for
        self.process = project.start(*around, *project.pytest(*args), HOLDS=str(tests), HELD=project.folder)
        self.pids = {}
        for i in range(tests):
            waits_for(lambda: os.path.exists(self.path(i)), "test %d" % i)
            with open(self.path(i)) as file:
                self.pids[i] = int(file.read())
        self.below = below(self.process.pid)

    def path(self, name):
        return os.path.join(self.folder, str(name))

    def guards(self, pid):
        found = [below_pid for below_pid, words in below(pid).items() if " exec --mode offline --ledger none -- " in words]
        assert found, self.below
        return found

    def go(self):
        open(self.path("go"), "w").close()

    def end(self):
        """All that it printed; nothing that it started is there any more."""
        out = self.process.communicate(timeout=60)[0]
        self.waits_for(gone(self.below), "the end of %s\n%s" % (self.below, out))
        return out


def test_killed_pytest(suite, waits_for):
    held = Held(suite("hold"), waits_for, 1)
    assert len(held.below) == 2, held.below
    held.process.kill()
    out = held.end()
    assert "pytest, process %d, is gone without having ended its tests" % held.process.pid in out


def test_killed_pytest_with_workers(suite, waits_for):
    held = Held(suite("hold"), waits_for, 2, "-n", "2")
    assert len(held.below) == 6, held.below
    guards = [pid for worker in held.pids.values() for pid in below(worker)]
    held.process.kill()
    waits_for(gone(guards), "the end of the guards", 5)
    out = held.end()  # xdist gives its workers 15 s
    for pid in held.pids.values():
        assert "the pytest that process %d worked for is gone" % pid in out


def test_killed_worker(suite, waits_for):
    held = Held(suite("hold"), waits_for, 2, "-n", "2")
    os.kill(held.pids[0], signal.SIGKILL)
    held.go()
    out = held.end()
    assert "pytest, process %d, is gone without having ended its tests" % held.pids[0] in out
    assert "crashed while running 'test_hold.py::test_holds[0]'" in out
    assert "1 failed, 2 passed" in out
    assert held.process.returncode == 1


def test_killed_guard(suite, waits_for):
    held = Held(suite("hold"), waits_for, 1)
    (guard,) = held.guards(held.process.pid)
    os.kill(guard, signal.SIGKILL)
    waits_for(gone(set(held.below) - {guard}), "the end of what waits behind the guard, while the test goes on")
    held.go()
    out = held.end()
    reason = "the hsharness that pytest started, exec --mode offline, process %d, was ended by SIGKILL" % guard
    assert "hsharness: test_hold.py::test_holds[0]: " + reason in out
    assert "hsharness: test_hold.py::test_after: " + reason in out
    assert "1 failed, 1 error" in out
    assert held.process.returncode == 1


def test_killed_guard_around(suite, program, waits_for):
    held = Held(suite("hold"), waits_for, 1, around=(program, "exec", "--"))
    os.kill(held.process.pid, signal.SIGKILL)
    held.go()
    out = held.end()
    assert "test_holds[0]: the guard around these tests is gone" in out
    assert "start again: hsharness exec -- " in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(suite, waits_for, number):
    held = Held(suite("hold"), waits_for, 1)
    os.killpg(held.process.pid, number)
    out = held.end()
    assert ("is gone without having ended its tests" in out) == (number == signal.SIGTERM)
