"""Inside of a seal a suite counts as it does outside; the sandbox's own count is the judge."""

import json
import sys

import pytest

TESTS = 12


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has namespaces")
def test_a_suite_counts_exactly_inside_a_seal(suite, sandbox):
    project = suite("many")
    sandbox.grant(project, 300)
    tests = project.pytest("-q", "-n", "2", *("test_many.py::test_alone[%d]" % i for i in range(TESTS)))

    def bill(*mode):
        out = project.hsharness("exec", "--sealed", "--bill", "bill.json", *mode, "--", *tests)
        assert "hsharness: %d tests, %d requests that cost %d units" % (TESTS, 3 * TESTS, TESTS) in out
        assert {outcome for outcome, _ in project.results().values()} == {"passed"}
        with open(project.folder + "/bill.json") as file:
            bill = json.load(file)
        return bill["seal"], bill["requests"], bill["spent"], bill.get("asked"), sandbox.served()

    assert bill() == ("sealed", 3 * TESTS, 0, None, 0)
    for spent in (TESTS, 0):  # the second time nothing is missing
        assert bill("--mode", "record", "--max-spend", "20") == ("sealed", 3 * TESTS, spent, None, TESTS)
    assert bill("--mode", "replay") == ("sealed", 3 * TESTS, 0, None, TESTS)
    assert json.loads(project.hsharness("quota", "status", "--format", "json"))["spent"] == TESTS
    project.hsharness("quota", "verify")
