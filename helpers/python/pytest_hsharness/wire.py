"""Calls of a control endpoint.

What a test may replace is taken when this module is loaded: cassettes put classes of
their own into http.client. No proxy is asked for what is on this machine.
"""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from . import answer
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
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
    except (OSError, HTTPException) as error:
        raise Unreachable("%s %s: %s" % (method, url, error or type(error).__name__)) from error


def call(method, url, body=None, token=None, want=None):
    """Sends JSON, and returns the JSON of the answer, which has what is wanted; None where it is empty."""
    headers = {}
    if token:
        headers["Authorization"] = "Bearer " + token
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(body).encode()
    status, got = send(method, url, body, headers)
    name = "%s %s" % (method, url)
    if status >= 400:
        raise answer.refusal(name, status, got)
    return answer.read(name, status, got, want)
