"""What one test talks to: services, a clock, faults and counts of its own."""

import datetime
import json
import re
from urllib.parse import urlencode

import pytest

from . import answer as answers
from . import wire
from .error import HsharnessError

_PLACEHOLDER = re.compile(r"{{|}}|{(\w+)}")
_COUNTS = ("mocked", "unbought", "replayed", "bought", "refused", "missed", "capped", "spent")


class Urls:
    """The base URLs of one environment's services, and its token endpoint."""

    def __init__(self, urls):
        self.identity_url = urls["identity_url"]
        self.token_url = urls["token_url"]
        self.api_url = urls["api_url"]
        self.legacy_api_url = urls["legacy_api_url"]
        self.managed_api_url = urls["managed_api_url"]


class Hsharness(Urls):
    """The fixture ``hsharness``: a client of a guard, for one test.

    Its own URLs are those of the sandbox; ``production`` has those of production,
    whose requests cost nothing.
    """

    def __init__(self, guard, test, again, rules):
        answer = guard.call("POST", guard.url + "/clients", dict(rules, test=test), answers.CLIENT)
        super().__init__(answer["sandbox"])
        self.production = Urls(answer["production"])
        self.test = test
        self.id = answer["id"]
        self.mode = answer["mode"]
        self.max = answer["max"]
        self.client_id = answer["client_id"]
        self.client_secret = answer["client_secret"]
        self.control_url = answer["control_url"]
        self._guard, self._again = guard, again
        self._expected = []
        self._told = None  # the verdict and the counts when the test ended

    @property
    def environ(self):
        """The variables by which a program finds these services."""
        environ = {
            "HSHARNESS_IDENTITY_URL": self.identity_url,
            "HSHARNESS_TOKEN_URL": self.token_url,
            "HSHARNESS_API_URL": self.api_url,
            "HSHARNESS_LEGACY_API_URL": self.legacy_api_url,
            "HSHARNESS_MANAGED_API_URL": self.managed_api_url,
            "HSHARNESS_CLIENT_ID": self.client_id,
            "HSHARNESS_CLIENT_SECRET": self.client_secret,
            "HSHARNESS_CONTROL_URL": self.control_url,
            "HSHARNESS_MODE": self.mode,
        }
        for name in ("HSHARNESS_CONTROL_TOKEN", "HSHARNESS_RUN_ID", "HSHARNESS_EXEC_ENV", "NO_PROXY", "no_proxy"):
            if self._guard.environ.get(name):
                environ[name] = self._guard.environ[name]
        # The names that exec --env and exec.env of the project file gave the command, for
        # the services of this test.
        values = {name[len("HSHARNESS_"):].lower(): value for name, value in environ.items()}
        for name, text in json.loads(self._guard.environ.get("HSHARNESS_EXEC_ENV") or "{}").items():
            environ[name] = _PLACEHOLDER.sub(lambda m: m.group()[0] if m.group(1) is None else values[m.group(1)], text)
        return environ

    def expect_spend(self, units):
        """Fails the test unless its requests cost so many units at the price list, spent or not.

        The end of the test decides; in a ``with`` block its end does, for what was asked in it.
        """
        return self._expect(units, lambda got: got["units"], "the requests cost {} units, want {}")

    def expect_calls(self, requests):
        """Fails the test unless the guard saw so many requests, faulted and refused ones counted.

        The end of the test decides; in a ``with`` block its end does, for what was asked in it.
        """
        return self._expect(requests, lambda got: got["requests"], "the guard saw {} requests, want {}")

    def _expect(self, want, count, text):
        expectation = Expectation(self, want, count, text)
        self._expected.append(expectation)
        return expectation

    def need(self, units):
        """Says what the test costs at most, before it sends anything.

        The test fails at its end when that was more, and at once, with nothing sent, where
        every request is bought and the run has less left.
        """
        __tracebackhide__ = True
        if _whole(units) and self.mode == "live":
            left = self.left()
            if left is not None and left < units:
                pytest.fail(
                    self._says(
                        "it needs %d units and its run has %d left, so nothing was sent\n"
                        "  next: repeat hsharness exec with a --max-spend that is larger by %d" % (units, left, units - left)
                    )
                )
        text = "the requests cost {} units, more than the {} that it needs at most"
        self._expected.append(Expectation(self, units, lambda got: got["units"], text, lambda got, want: got <= want))

    def fault(self, *faults, **fault):
        """Adds faults, in the order in which they are looked at: ``fault(on="api", status=503, times=1)``."""
        self._call("POST", "/faults", list(faults) + ([fault] if fault or not faults else []))

    def clear_faults(self):
        """Removes all faults."""
        self._call("DELETE", "/faults")

    def advance(self, time):
        """Moves the clock that tokens expire by: ``"66m"``, or a timedelta. It returns its time."""
        if isinstance(time, datetime.timedelta):
            time = "%dus" % (time // datetime.timedelta(microseconds=1))
        return answers.time(self._call("POST", "/clock", {"advance": time}, answers.CLOCK)["now"])

    def now(self):
        """The time by that clock."""
        return answers.time(self._call("GET", "/clock", want=answers.CLOCK)["now"])

    def requests(self, since=0):
        """What the identity services and the mock APIs were sent, oldest first, secrets masked."""
        return self._call("GET", "/requests?since=%d" % since, want=answers.REQUESTS)

    def tally(self):
        """What became of the requests to the APIs, and their price."""
        return self._call("GET", "/tally", want=answers.TALLY)

    def left(self):
        """How many units may still be spent; None where nothing is."""
        return self._call("GET", "/left", want=answers.LEFT)["left"]

    def token(self, scope="hs-code-classification", token_url=None):
        """A token of this client, as the code under test would get it."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret, "scope": scope}
        url = token_url or self.token_url
        try:
            status, answer = wire.send("POST", url, urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})
            if status != 200:
                raise HsharnessError("the token endpoint answered %d: %s" % (status, answers.shown(answer)))
            return answers.read("POST " + url, status, answer, answers.TOKEN, "token")["access_token"]
        except HsharnessError as error:
            raise HsharnessError(self._says(error.text, bare=True)) from None

    def mint(self, **token):
        """Any token, also a bad one: ``mint(scopes=["hs-code-classification"], defect="expired")``."""
        return self._call("POST", "/tokens", token, answers.TOKEN)["access_token"]

    def _call(self, method, path, body=None, want=None):
        try:
            return self._guard.call(method, self.control_url + path, body, want)
        except HsharnessError as error:
            raise HsharnessError(self._says(error.text, bare=True), error.field) from None

    def _says(self, text, bare=False):
        return ("%s: %s" if bare else "hsharness: %s: %s") % (self.test, text)

    def _problems(self, skipped=False):
        """What was refused and what was not met, as texts. It is asked when the test has ended."""
        try:
            outcome, tally = self._call("GET", "/verdict", want=answers.VERDICT), self.tally()
        except HsharnessError as error:
            self._told = ({}, {})
            return [str(error)]
        self._told = (outcome, tally)
        return self._judge(outcome, tally, [] if skipped else self._expected)

    def _judge(self, outcome, tally, expected):
        problems = []
        if outcome["verdict"]:
            problems.append(self._says("%s (%s)\n%s" % (outcome["reason"], counts(tally), self._next(tally))))
        for expectation in expected:
            text = expectation.problem(tally)
            if text:
                problems.append(text)
        return problems

    def _next(self, tally):
        """What to type next: inside an exec that says what buys what all its tests missed."""
        if tally.get("missed_units") and not self._guard.joined:
            buy = "hsharness exec --mode record --max-spend %d -- %s" % (tally["missed_units"], self._again.words)
            return "  buy what is missing: " + buy
        return "  run it again: " + self._again.line

    def _end(self):
        """Ends the client, and returns what came to light since the test ended, as texts."""
        try:
            ended = self._guard.call("DELETE", self._guard.url + "/clients/" + self.id, want=answers.ENDED)
        except HsharnessError as error:
            return [] if self._told == ({}, {}) else [self._says(error.text)]
        outcome, tally = {"verdict": ended["verdict"], "reason": ended["reason"]}, ended["tally"]
        return [] if self._told == (outcome, tally) else self._judge(outcome, tally, self._expected)


class Expectation:
    """What :meth:`Hsharness.expect_spend` and the like return: of use in a ``with`` statement."""

    def __init__(self, client, want, count, text, met=lambda got, want: got == want):
        _whole(want)
        self._client, self._want, self._count, self._text, self._met = client, want, count, text, met
        self._before = None

    def problem(self, tally, before=None):
        got = self._count(tally) - (self._count(before) if before else 0)
        if self._met(got, self._want):
            return None
        text = self._text.format(got, self._want)
        return self._client._says("%s (%s)\n  run it again: %s" % (text, counts(tally), self._client._again.line))

    def __enter__(self):
        self._client._expected.remove(self)
        self._before = self._client.tally()
        return self

    def __exit__(self, kind, error, trace):
        __tracebackhide__ = True
        if kind is None:
            text = self.problem(self._client.tally(), self._before)
            if text:
                pytest.fail(text)


def counts(tally):
    """The counts that are not 0, for a person."""
    return ", ".join(["requests %d" % tally["requests"]] + ["%s %d" % (name, tally[name]) for name in _COUNTS if tally.get(name)])


def _whole(number):
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise HsharnessError("a number of units or requests is a whole one from 0 on, and %r is not" % (number,))
    return True
