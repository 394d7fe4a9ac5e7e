"""The guards that tests are clients of: that of the hsharness exec around pytest, or
those that pytest starts by itself, by the same command around a program that waits."""

import atexit
import collections
import json
import os
import queue
import signal
import subprocess
import sys
import threading

from . import binary, wire
from .error import HsharnessError

_START, _END, _LOOK = 60, 15, 0.5  # seconds


class Joined:
    """The guard that somebody else started."""

    joined = True

    def __init__(self, environ, advise):
        self.environ = environ
        self._advise = advise

    @property
    def url(self):
        return self.environ["HSHARNESS_CONTROL_URL"]

    def call(self, method, url, body=None, want=None):
        try:
            return wire.call(method, url, body, self.environ.get("HSHARNESS_CONTROL_TOKEN"), want)
        except wire.Unreachable as error:
            raise HsharnessError("%s (%s)" % (self.gone(), error.text)) from None

    def gone(self):
        """Why it does not answer."""
        return "the guard around these tests is gone, and what it counted can't be asked\n  start again: " + self._advise


class Own(Joined):
    """A guard that this process started, and ends."""

    joined = False

    def __init__(self, program, mode, folder, environ, terminal):
        self._owner, self._mode = os.getpid(), mode
        self._words = collections.deque(maxlen=20)
        ready = queue.Queue()
        command = [program, "exec", "--mode", mode, "--ledger", "none", "--", sys.executable, "-I", "-S"]
        command += [os.path.join(os.path.dirname(os.path.abspath(__file__)), "_wait.py"), str(self._owner)]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=_without(environ, "HSHARNESS_MODE", "HSHARNESS_BILL"),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if terminal is None else terminal,
                stderr=subprocess.PIPE,
                **_apart(),
            )
        except OSError as error:
            raise HsharnessError("%s can't be started: %s" % (program, error.strerror or error)) from None
        atexit.register(self.stop)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)
        self._reader = threading.Thread(target=self._read, args=(ready,), name="hsharness", daemon=True)
        self._reader.start()
        try:
            variables = ready.get(timeout=_START)
        except queue.Empty:
            self._process.kill()
            raise HsharnessError("hsharness did not start within %d s" % _START + self._last_words()) from None
        except BaseException:
            self._process.kill()
            raise
        if variables is None:
            raise HsharnessError(self._ended() + self._last_words())
        super().__init__(variables, "")

    def _read(self, ready):
        """Reads what the guard says, until it ends."""
        waiting = True
        with self._process.stderr as lines:
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip()
                if waiting and text.startswith("ready {"):
                    waiting = False
                    ready.put(json.loads(text[len("ready ") :]))
                    continue
                self._words.append(text)
        if waiting:
            ready.put(None)

    def warnings(self):
        """What it said at its start, such as that a rule lowered its mode."""
        return list(self._words)

    def gone(self):
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            return "the hsharness that pytest started, process %d, does not answer" % self._process.pid
        self._reader.join(1)
        return self._ended() + self._last_words() + "\n  what it counted is lost, and nothing was spent: run the tests again"

    def _ended(self):
        code = self._process.wait()
        how = "ended with exit code %d" % code
        if code < 0:
            try:
                how = "was ended by %s" % signal.Signals(-code).name
            except ValueError:
                how = "was ended by signal %d" % -code
        return "the hsharness that pytest started, exec --mode %s, process %d, %s" % (self._mode, self._process.pid, how)

    def _last_words(self):
        return "".join("\n  " + word for word in self._words)

    def stop(self):
        """Ends it: its command waits for that."""
        atexit.unregister(self.stop)
        if os.getpid() != self._owner:
            return
        self.leave("end")
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_END)

    def leave(self, why):
        """Lets it end by itself, and say why."""
        try:
            self._process.stdin.write(why.encode())
            self._process.stdin.close()
        except (OSError, ValueError):
            pass  # it has ended, or was told before

    def _forked(self):
        """A copy of this process holds nothing that would keep the guard waiting."""
        self._process.stdin.close()


class Guards:
    """The guards of one pytest process: one for each project and mode."""

    def __init__(self, environ, folder, advise, terminal):
        self.environ = environ
        self.joined = bool(environ.get("HSHARNESS_CONTROL_URL"))
        self._folder, self._advise, self._terminal = folder, advise, terminal
        self._started = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def watch(self, parent):
        """Ends the guards with the process that this one works for, if that is gone."""

        def look():
            while not self._stopped.wait(_LOOK):
                if os.getppid() != parent:
                    for guard in list(self._started.values()):
                        if isinstance(guard, Own):
                            guard.leave("the pytest that process %d worked for is gone" % os.getpid())
                    return

        threading.Thread(target=look, name="hsharness-watch", daemon=True).start()

    def get(self, mode, path):
        """The guard for a test in a file that asks for a mode, or None for any."""
        if self.joined:
            return Joined(self.environ, self._advise)
        mode = self.environ.get("HSHARNESS_MODE") or mode or "offline"
        if mode in ("record", "live"):
            raise HsharnessError(
                "tests spend only inside hsharness exec, and the mode %s does: hsharness exec --mode %s --max-spend N -- pytest" % (mode, mode)
            )
        folder = self._project(path)
        with self._lock:
            key = (mode, folder)
            if key not in self._started:
                self._started[key] = self._start(mode, folder)
            if isinstance(self._started[key], HsharnessError):
                raise self._started[key]
            return self._started[key]

    def _start(self, mode, folder):
        try:
            guard = Own(binary.find(self.environ, self._folder), mode, folder, self.environ, self._terminal)
        except HsharnessError as error:
            return error  # the next test need not wait for the same
        self._warn(guard.warnings())
        return guard

    def _project(self, path):
        """The folder of the hsharness.yaml that counts for a test: the nearest above it."""
        folder = os.path.dirname(os.path.abspath(path))
        while not os.path.lexists(os.path.join(folder, "hsharness.yaml")):
            if os.path.dirname(folder) == folder:
                return self._folder
            folder = os.path.dirname(folder)
        return folder

    def _warn(self, lines):
        if lines and self._terminal is not None:
            try:
                os.write(self._terminal, ("\n" + "\n".join(lines) + "\n").encode())
            except OSError:
                pass  # nobody reads

    def stop(self):
        self._stopped.set()
        for guard in self._started.values():
            if isinstance(guard, Own):
                guard.stop()
        self._started.clear()
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None


def _without(environ, *names):
    return {name: value for name, value in environ.items() if name not in names}


def _apart():
    """Ctrl-C is for pytest, which ends what it started."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
