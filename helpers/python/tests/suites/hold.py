"""A test that says that it has begun and waits to be killed, with the rest of its process."""

import os
import time

import pytest
from ask import classify


@pytest.mark.parametrize("i", range(int(os.environ.get("HOLDS", "1"))))
def test_holds(hsharness, i):
    assert classify("a shirt") == 200
    name = os.path.join(os.environ["HELD"], str(i))
    with open(name + ".part", "w") as file:
        file.write(str(os.getpid()))
    os.rename(name + ".part", name)
    end = time.monotonic() + 60
    while not os.path.exists(os.path.join(os.environ["HELD"], "go")):
        assert time.monotonic() < end
        time.sleep(0.02)
    try:
        classify("a hat")
    except OSError:
        pass  # swallowed, as code under test may do


def test_after(hsharness):
    pass
