"""Tests in several processes count exactly; the sandbox's own count is the judge."""

import json

TESTS = 200


def test_many_tests_count_exactly_in_each_mode(suite, sandbox):
    project = suite("many")
    sandbox.grant(project, 300)
    workers = project.pytest("-q", "-n", "4")

    def passed(out):
        assert "hsharness: %d tests, %d requests that cost %d units" % (TESTS, 3 * TESTS, TESTS) in out
        results = project.results()
        assert len(results) == TESTS
        assert {outcome for outcome, _ in results.values()} == {"passed"}

    # Without an exec each worker has a guard of its own.
    passed(project.run(*workers))
    assert sandbox.served() == 0
    passed(project.hsharness("exec", "--bill", "bill.json", "--mode", "record", "--max-spend", "250", "--", *workers))
    with open(project.folder + "/bill.json") as file:
        bill = json.load(file)
    assert (bill["requests"], bill["spent"], sandbox.served()) == (3 * TESTS, TESTS, TESTS)
    passed(project.run(*workers, HSHARNESS_MODE="replay"))
    assert sandbox.served() == TESTS
    project.hsharness("quota", "verify")
    entries = json.loads(project.hsharness("quota", "history", "--limit", "0", "--format", "json"))
    assert [entry["kind"] for entry in entries].count("begin") == 1, "tests without an exec touch no ledger"
    assert "test_many.py::test_alone[" in project.hsharness("report", "--by", "test")
    status = json.loads(project.hsharness("quota", "status", "--format", "json"))
    assert (status["spent"], status["unknown"]) == (TESTS, 0)
