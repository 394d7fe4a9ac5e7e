"""How a test ends, and what is said about it."""

import os

from pytest_hsharness.client import counts

WORDS = {
    "test_fails_spend": "test_outcomes.py::test_fails_spend: the requests cost 2 units, want 1 (requests 2, mocked 2)",
    "test_fails_calls": "the guard saw 0 requests, want 1 (requests 0)",
    "test_fails_block": "the requests cost 0 units, want 1",
    "test_fails_need": "the requests cost 2 units, more than the 1 that it needs at most",
    "test_fails_capped": "1 of at most 1 units are used",
    "test_fails_skipped": "0 of at most 0 units are used",
    "test_fails_missed": "buy what is missing: hsharness exec --mode record --max-spend 1 -- pytest test_outcomes.py::test_fails_missed",
    "test_fails_by_itself": "assert 424 == 200",
    "test_fails_number": "a whole one from 0 on, and '1' is not",
    "test_fails_fault": "a fault must do something",
    "test_errs_marker": "its marker has maximum: it takes max, mode, operations, each by name",
    "test_errs_record": "hsharness exec --mode record --max-spend N -- pytest",
    "test_errs_late": "the requests cost 1 units, want 0",
}


def test_each_way_to_end(suite):
    project = suite("outcomes")
    out = project.run(*project.pytest("-p", "no:xdist"), code=1)
    results = project.results()
    assert len(results) >= 25, out
    for name, (outcome, text) in results.items():
        want = {"passes": "passed", "fails": "failure", "errs": "error", "skips": "skipped", "xfails": "skipped"}
        kind = name.split("_")[1]
        assert outcome == want.get(kind, "passed"), (name, text)
        if name in WORDS:
            assert WORDS[name] in text, name
        if outcome == "failure" and name not in ("test_fails_missed", "test_fails_by_itself", "test_fails_number", "test_fails_fault"):
            assert "run it again: pytest test_outcomes.py::" in text, name
    assert "buying it costs 1" in out.split("test_fails_by_itself ___")[1].split("\n___")[0], "the reason stands beside the failure"


def test_need_is_asked_before_anything_is_sent(suite, sandbox):
    project = suite("ask")
    sandbox.grant(project, 10)
    with open(project.folder + "/test_ask.py", "w") as file:
        file.write("from ask import classify\ndef test_need(hsharness):\n    hsharness.need(3)\n    classify('a shirt')\n")
    out = project.hsharness("exec", "--mode", "live", "--max-spend", "2", "--", *project.pytest(), code=1)
    assert "it needs 3 units and its run has 2 left, so nothing was sent" in out
    assert "a --max-spend that is larger by 1" in out
    assert sandbox.served() == 0
    project.hsharness("exec", "--mode", "record", "--max-spend", "2", "--", *project.pytest())
    assert sandbox.served() == 1


def test_the_guard_around_decides(suite):
    project = suite("ask")
    with open(project.folder + "/test_ask.py", "w") as file:
        file.write(
            "import pytest\n@pytest.mark.hsharness(mode='replay')\ndef test_mode(): pass\n"
            "@pytest.mark.hsharness(max=-1)\ndef test_max(): pass\ndef test_fine(hsharness): assert hsharness.mode == 'offline'\n"
        )
    project.hsharness("exec", "--", *project.pytest(), code=1)
    results = project.results()
    assert "mode: replay goes further than offline" in results["test_mode"][1]
    assert "hsharness exec --mode replay -- pytest test_ask.py::test_mode" in results["test_mode"][1]
    assert "max: -1 is below zero" in results["test_max"][1]
    assert results["test_fine"][0] == "passed"


def test_a_serve_keeps_tests_apart(suite, sandbox):
    project = suite("many")
    out = project.run(*project.pytest("-q", "-n", "2", "-k", "alone and 19"), HSHARNESS_CONTROL_URL=sandbox.ready["control_url"])
    assert "12 passed" in out and "12 tests, 36 requests" in out


def test_names_of_ones_own_lead_to_the_tests_services(suite):
    """What exec --env and exec.env name is the test's own, as HSHARNESS_ is."""
    project = suite("ask")
    with open(project.folder + "/test_ask.py", "w") as file:
        file.write(
            "import os\ndef test_own(hsharness):\n"
            "    assert os.environ['SHOP_URL'] == hsharness.api_url + '/{v1}'\n"
            "    assert os.environ['SHOP_AUTH'] == hsharness.client_id + ':' + hsharness.client_secret\n"
            "    assert 'SHOP_URL' in os.environ['HSHARNESS_EXEC_ENV']  # for what a program inside starts\n"
        )
    with open(project.folder + "/hsharness.yaml", "w") as file:
        file.write('version: 1\nexec: { env: { SHOP_URL: "{api_url}/{{v1}}", SHOP_AUTH: "{client_id}:{client_secret}" } }\n')
    project.run(*project.pytest())
    project.hsharness("exec", "--env", "SHOP_AUTH={client_id}:{client_secret}", "--", *project.pytest())


def test_the_nearest_project_counts(suite):
    """As in Go: the prices of a test are those of the hsharness.yaml nearest above it."""
    project = suite("ask")
    for name, cost in (("near", 7), ("far", 1)):
        os.mkdir(os.path.join(project.folder, name))
        with open(os.path.join(project.folder, name, "test_%s.py" % name), "w") as file:
            file.write("from ask import classify\ndef test_price(hsharness):\n    hsharness.expect_spend(%d)\n    assert classify('a shirt') == 200\n" % cost)
    with open(os.path.join(project.folder, "near", "hsharness.yaml"), "w") as file:
        file.write('version: 1\noperations: [ { match: "POST /hscode/classify", cost: 7 } ]\n')
    project.run(*project.pytest(), PYTHONPATH=project.environ["PYTHONPATH"] + os.pathsep + project.folder)


def test_what_is_wrong_before_the_first_test(suite):
    project = suite("ask")
    with open(project.folder + "/test_ask.py", "w") as file:
        file.write("def test_it(hsharness): pass\ndef test_next(hsharness): pass\n")

    def said(**environ):
        project.run(*project.pytest(), code=1, **environ)
        results = project.results()
        assert {outcome for outcome, _ in results.values()} == {"error"}
        assert "hsharness: test_ask.py::test_it: " in results["test_it"][1]
        return results["test_it"][1]

    text = said(HSHARNESS_MODE="record")
    assert "the mode record does: hsharness exec --mode record --max-spend N -- pytest" in text
    text = said(HSHARNESS_MODE="sometimes")
    assert "sometimes" in text and "exit code 2" in text
    text = said(HSHARNESS_BIN="nowhere")
    assert "HSHARNESS_BIN is nowhere, where no program is" in text
    text = said(HSHARNESS_BIN="", PATH="/nowhere")
    assert "go install ./cmd/hsharness" in text
    text = said(HSHARNESS_CONTROL_URL="http://127.0.0.1:9")
    assert "the guard around these tests is gone" in text and "hsharness exec -- " in text
    with open(project.folder + "/hsharness.yaml", "w") as file:
        file.write("version: 2\n")
    text = said()
    assert "hsharness.yaml:1:10" in text
    os.remove(project.folder + "/hsharness.yaml")
    project.run(*project.pytest(), HSHARNESS_BIN="", PATH=os.path.dirname(project.program))


def test_a_lowered_mode_is_said(suite):
    project = suite("ask")
    with open(project.folder + "/test_ask.py", "w") as file:
        file.write("def test_it(hsharness): assert hsharness.mode == 'offline'\n")
    out = project.run(*project.pytest(), HSHARNESS_MODE="replay", HSHARNESS_MAX_MODE="offline")
    assert "HSHARNESS_MAX_MODE" in out


def test_counts_name_what_was_never_bought():
    """A replay that lets the mock answer says so: there mocked alone would look like offline."""
    assert counts({"requests": 2, "mocked": 1, "unbought": 1, "refused": 0, "units": 2}) == "requests 2, mocked 1, unbought 1"
