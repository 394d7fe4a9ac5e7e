"""A pytest fixture that gives each test mock services, counts and a price of its own."""

from .client import Hsharness, Urls
from .error import HsharnessError

__all__ = ["Hsharness", "HsharnessError", "Urls"]
