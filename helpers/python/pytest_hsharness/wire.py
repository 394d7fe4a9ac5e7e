"""Calls of a control endpoint.

What a test may replace is taken when this module is loaded: cassettes put classes of
their own into http.client. No proxy is asked for what is on this machine.
"""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from .error import HsharnessError

_TIMEOUT = 60


class Unreachable(HsharnessError):
    """Nobody answers there."""


def send(method, url, body=None, headers=()):
    """Sends bytes, and returns the status and the bytes of the answer."""
    parts = urlsplit(url)
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    try:
        connection = make(parts.hostname, parts.port, timeout=_TIMEOUT)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
    except (OSError, HTTPException) as error:
        raise Unreachable("%s %s: %s" % (method, url, error or type(error).__name__)) from error


def call(method, url, body=None, token=None):
    """Sends JSON, and returns the JSON of the answer; None where it is empty."""
    headers = {}
    if token:
        headers["Authorization"] = "Bearer " + token
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(body).encode()
    status, answer = send(method, url, body, headers)
    if status >= 400:
        raise _refusal(method, url, status, answer)
    try:
        return json.loads(answer) if answer else None
    except ValueError:
        raise HsharnessError("%s %s: its answer is no JSON: is it a control endpoint?" % (method, url)) from None


def _refusal(method, url, status, answer):
    try:
        problem = json.loads(answer)
        detail, field = problem.get("detail") or problem["title"], problem.get("field")
    except (ValueError, KeyError, AttributeError):
        return HsharnessError("%s %s: status %d: is it a control endpoint?" % (method, url, status))
    return HsharnessError("%s: %s" % (field, detail) if field else detail, field)
