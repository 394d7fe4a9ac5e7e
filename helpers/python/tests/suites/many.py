"""200 tests, each with a fault and a clock of its own."""

import datetime

import pytest
from ask import classify, token


@pytest.mark.hsharness(max=1)
@pytest.mark.parametrize("i", range(200))
def test_alone(hsharness, i):
    hsharness.expect_spend(1)
    hsharness.expect_calls(3)
    hsharness.need(1)
    hsharness.fault(on="api", status=503, times=1)
    old, before = token(), hsharness.now()
    assert classify("shoes number %d" % i, old) == 503, "the fault struck another test"
    hsharness.advance("%dm" % (66 + i))
    assert classify("shoes number %d" % i, old) == 401, "the token outlived its end"
    assert classify("shoes number %d" % i) == 200
    moved = hsharness.now() - before
    assert abs(moved - datetime.timedelta(minutes=66 + i)) < datetime.timedelta(minutes=1), "somebody else moved the clock"
