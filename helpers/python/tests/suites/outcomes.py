"""A test for each way in which one ends; their names say which."""

import asyncio
import os
import subprocess
import sys
import threading
import unittest

import pytest
from ask import classify, token


def test_passes(hsharness):
    hsharness.expect_spend(1)
    assert classify("a shirt") == 200
    assert [entry["endpoint"] for entry in hsharness.requests()] == ["token", "api"]
    assert hsharness.tally()["mocked"] == 1
    assert hsharness.left() is None
    assert classify("a shirt", hsharness.mint(scopes=["hs-code-classification"], defect="expired")) == 401
    assert classify("a shirt", hsharness.token("avatax_api")) == 403


def test_passes_with_its_own_environment(hsharness):
    for name in ("identity_url", "token_url", "api_url", "legacy_api_url", "managed_api_url", "client_id", "client_secret", "control_url", "mode"):
        assert os.environ["HSHARNESS_" + name.upper()] == getattr(hsharness, name)
    assert hsharness.production.token_url != hsharness.token_url
    assert hsharness.token(token_url=hsharness.production.token_url)
    code = "import ask; assert ask.classify('a shirt') == 200"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=os.path.dirname(os.path.abspath(__file__)))
    hsharness.expect_calls(1)


def test_passes_in_blocks(hsharness):
    with hsharness.expect_spend(1), hsharness.expect_calls(1):
        classify("a shirt")
    with hsharness.expect_calls(2):
        classify("a shirt")
        classify("a shirt")


def test_passes_asyncio(hsharness):
    async def both():
        return await asyncio.gather(*(asyncio.to_thread(classify, "a shirt") for _ in range(2)))

    hsharness.expect_spend(2)
    assert asyncio.run(both()) == [200, 200]


@pytest.mark.hsharness(max=1)
class TestPassesMarked:
    def test_by_the_class(self):
        assert classify("a shirt") == 200

    @pytest.mark.hsharness(max=2)
    def test_closer_marker(self, hsharness):
        assert hsharness.max == 2
        assert classify("a shirt") == classify("a hat") == 200


@pytest.mark.hsharness(max=1)
class TestOfUnittest(unittest.TestCase):
    def test_passes(self):
        self.assertEqual(classify("a shirt"), 200)

    def test_fails_capped(self):
        classify("a shirt"), classify("a shirt")


def test_passes_dearer(hsharness):
    hsharness.expect_spend(5)
    classify("a shirt")


test_passes_dearer = pytest.mark.hsharness(operations=[{"match": "POST /hscode/classify", "cost": 5}])(test_passes_dearer)


def test_passes_after_a_fault_is_cleared(hsharness):
    hsharness.fault({"on": "api", "status": 503, "always": True}, {"on": "token", "status": 500, "always": True})
    hsharness.clear_faults()
    assert classify("a shirt") == 200


def test_fails_spend(hsharness):
    hsharness.expect_spend(1)
    classify("a shirt"), classify("a shirt")


def test_fails_calls(hsharness):
    hsharness.expect_calls(1)


def test_fails_block(hsharness):
    classify("a shirt")
    with hsharness.expect_spend(1):
        pass


def test_fails_need(hsharness):
    hsharness.need(1)
    classify("a shirt"), classify("a shirt")


@pytest.mark.hsharness(max=1)
def test_fails_capped(hsharness):
    classify("a shirt"), classify("a shirt")


@pytest.mark.hsharness(max=0)
def test_fails_skipped(hsharness):
    if classify("a shirt") != 200:
        pytest.skip("the service is not there")


@pytest.mark.hsharness(mode="replay")
def test_fails_missed(hsharness):
    classify("a shirt")


@pytest.mark.hsharness(mode="replay")
def test_fails_by_itself(hsharness):
    assert classify("a shirt") == 200


def test_fails_number(hsharness):
    hsharness.expect_spend("1")


def test_fails_fault(hsharness):
    hsharness.fault(on="api")


@pytest.mark.hsharness(maximum=1)
def test_errs_marker():
    pass


@pytest.mark.hsharness(mode="record")
def test_errs_record():
    pass


@pytest.fixture
def asks_late(hsharness):
    yield
    classify("a shirt")


def test_errs_late(hsharness, asks_late):
    hsharness.expect_spend(0)


def test_skips(hsharness):
    hsharness.expect_spend(1)
    pytest.skip("not today")


@pytest.mark.xfail(strict=True)
def test_xfails(hsharness):
    hsharness.expect_spend(1)


def test_passes_without():
    assert "HSHARNESS_API_URL" not in os.environ


def test_passes_threads(hsharness):
    threads = [threading.Thread(target=token) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    hsharness.expect_calls(0)
    assert len(hsharness.requests()) == 4
