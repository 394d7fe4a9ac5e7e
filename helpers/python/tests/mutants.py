"""Breaks what the plugin promises, one after the other, in a copy of it, and runs the test
that has to notice: HSHARNESS_BIN=… python3 tests/mutants.py [WORD]. A test of the suite sees
that each row applies."""

import os
import shutil
import subprocess
import sys
import tempfile

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What is broken, the file, what stands there once, what stands there instead, the killer.
ROWS = [
    ("a swallowed miss fails the test", "client.py", 'if outcome["verdict"]:', "if False:", "test_outcomes.py::test_each_way_to_end"),
    ("a skip after a refusal is no skip", "plugin.py", "refused = client._problems(skipped=True)", "refused = []", "test_outcomes.py::test_each_way_to_end"),
    ("what is sent after the test counts", "client.py", "[] if self._told == (outcome, tally) else", "[] if self._told else", "test_outcomes.py::test_each_way_to_end"),
    ("need is asked before anything is sent", "client.py", "left is not None and left < units", "False", "test_outcomes.py::test_need_is_asked_before_anything_is_sent"),
    ("no variable makes a test spend", "guard.py", 'if mode in ("record", "live"):', "if False:", "test_outcomes.py::test_what_is_wrong_before_the_first_test"),
    ("the nearest project counts", "guard.py", "folder = self._project(path)", "folder = self._folder", "test_outcomes.py::test_the_nearest_project_counts"),
    ("a lowered mode is said", "guard.py", "self._warn(guard.warnings())", "pass", "test_outcomes.py::test_a_lowered_mode_is_said"),
    ("tests without an exec touch no ledger", "guard.py", '"--ledger", "none", ', "", "test_counts.py"),
    ("spends carry the test's name", "client.py", "dict(rules, test=test)", "rules", "test_counts.py"),
    ("names of one's own lead to the test's services", "client.py", 'get("HSHARNESS_EXEC_ENV")', 'get("")', "test_outcomes.py::test_names_of_ones_own_lead_to_the_tests_services"),
    ("a killed guard fails the test", "client.py", "return [str(error)]", "return []", "test_kill.py::test_killed_guard"),
    ("nothing waits behind a killed guard", "_wait.py", "elif os.getppid() != guard:", "elif False:", "test_kill.py::test_killed_guard"),
    ("who was killed is said", "_wait.py", 'if said != b"end":', "if False:", "test_kill.py::test_killed_pytest"),
    ("guards end with the pytest of their worker", "plugin.py", "guards.watch(os.getppid())", "pass", "test_kill.py::test_killed_pytest_with_workers"),
    ("Ctrl-C is for pytest", "guard.py", '{"start_new_session": True}', "{}", "test_kill.py::test_interrupted"),
    ("what did not come is said", "answer.py", "wrong = _wrong(value, want)", "wrong = None", "test_rubbish.py::test_rubbish_is_said"),
    ("what is no JSON is said", "answer.py", "except ValueError:\n            wrong", "except KeyError:\n            wrong", "test_rubbish.py::test_rubbish_is_said"),
    ("what came is shown without its secrets", "answer.py", 'r"\\1***"', 'r"\\g<0>"', "test_rubbish.py::test_rubbish_is_said"),
    ("what came is shown without what a terminal obeys", "answer.py", "if one.isprintable()", "if True", "test_rubbish.py::test_rubbish_is_said"),
    ("an answer that never comes is not waited for", "wire.py", "timeout=_TIMEOUT", "timeout=None", "test_rubbish.py::test_an_answer_that_never_comes"),
    ("the wheel's program is found", "binary.py", 'os.path.dirname(os.path.abspath(__file__)), "bin"', 'os.path.dirname(os.path.abspath(__file__)), "no"', "test_packages.py::test_the_wheel_brings_the_program"),
]


def main(words):
    lives = 0
    for breaks, file, old, new, killer in ROWS:
        if words and not any(word in breaks or word in file or word in killer for word in words):
            continue
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "helpers", "python")
            shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
            for terms in ("LICENSE", "THIRD_PARTY_NOTICES"):
                shutil.copy(os.path.join(PACKAGE, "..", "..", terms), folder)
            path = os.path.join(copy, "pytest_hsharness", file)
            with open(path) as source:
                text = source.read()
            with open(path, "w") as source:
                source.write(text.replace(old, new))
            test = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/" + killer]
            done = subprocess.run(test, cwd=copy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lives += done.returncode != 1
        print("%s by %s: %s" % ("killed" if done.returncode == 1 else "NOT KILLED", killer, breaks), flush=True)
    sys.exit(lives > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
