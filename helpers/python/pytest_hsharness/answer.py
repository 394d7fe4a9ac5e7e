"""What is asked for has to be in an answer; anything else is said, with what came."""

import datetime
import json
import re

from .error import HsharnessError

_SECRETS = ((re.compile(r'("[^"]{0,40}(?:secret|token|password)"\s*:\s*")(?:[^"\\]|\\.)*', re.I), r"\1***"), (re.compile(r'\b(bearer|basic)(\s+)[^\s"]+', re.I), r"\1\2***"))


def time(text):
    """A time as the control endpoint writes it."""
    text = text.replace("Z", "+00:00")
    whole, dot, rest = text.partition(".")
    if dot:  # Python before 3.11 knows three digits or six
        digits = rest[: len(rest) - 6]
        text = "%s.%s%s" % (whole, digits[:6].ljust(6, "0"), rest[len(rest) - 6 :])
    return datetime.datetime.fromisoformat(text)


def _is_time(value):
    try:
        return isinstance(value, str) and time(value) is not None
    except ValueError:
        return False


def _text(value):
    return isinstance(value, str)


def _number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _amount(value):
    return value is None or _number(value)


def _list(value):
    return isinstance(value, list)


# What the answers to calls have, beside what tests make nothing of.
_URLS = dict.fromkeys(("identity_url", "token_url", "api_url", "legacy_api_url", "managed_api_url"), _text)
CLIENT = dict(dict.fromkeys(("id", "mode", "client_id", "client_secret", "control_url"), _text), max=_amount, sandbox=_URLS, production=_URLS)
TALLY = {"requests": _number, "units": _number}
VERDICT = {"verdict": _text, "reason": _text}
ENDED = dict(VERDICT, tally=TALLY)
CLOCK = {"now": _is_time}
LEFT = {"left": _amount}
TOKEN = {"access_token": _text}
REQUESTS = _list


def read(call, status, answer, want=None, endpoint="control"):
    """The JSON of the answer to a call. Without anything wanted it may be empty, too."""
    if not answer and want is None:
        return None
    value, wrong = None, "is empty"
    if answer:
        try:
            value = json.loads(answer)
            wrong = _wrong(value, want)
        except ValueError:
            wrong = "is no JSON"
    if wrong:
        raise HsharnessError("%s: status %d, and its answer %s: is it a %s endpoint?%s" % (call, status, wrong, endpoint, _answered(answer)))
    return value


def _wrong(value, want):
    if want is None:
        return None
    missing = _lacking(value, want, ())
    return None if missing is None else "lacks " + ".".join(missing) if missing else "is not what was asked for"


def _lacking(value, want, at):
    """The path of the first member that is not as wanted."""
    if callable(want):
        return None if want(value) else at
    for name, inner in want.items():
        # None is an amount, so what is not there is something else.
        found = value.get(name, ...) if isinstance(value, dict) else ...
        missing = _lacking(found, inner, at + (name,))
        if missing is not None:
            return missing
    return None


def refusal(call, status, answer):
    """The error for a status of 400 or more."""
    try:
        problem = json.loads(answer)
        detail, field = problem.get("detail") or problem["title"], problem.get("field")
    except (ValueError, KeyError, AttributeError):
        detail = None
    if not isinstance(detail, str):
        return HsharnessError("%s: status %d: is it a control endpoint?%s" % (call, status, _answered(answer)))
    return HsharnessError("%s: %s" % (field, detail) if field else detail, field)


def _answered(answer):
    return " It answered: " + shown(answer) if answer else ""


def shown(answer):
    """The beginning of what came, for a person: without secrets, and without what a terminal obeys."""
    text = answer[:4096].decode("utf-8", "replace")
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    begin = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[:200])
    return "%s... of %d bytes" % (begin, len(answer)) if len(text) > 200 else begin
