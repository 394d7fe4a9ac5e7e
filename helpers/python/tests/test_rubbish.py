"""A guard that answers what no guard does, or never, fails a test with words that say where,
which call, and what came."""

import http.server
import json
import os
import threading

import pytest
from conftest import PACKAGE

PAGE = "<html>\x1b[31mWelcome</html>"


class Guard:
    """Answers as a guard does, but for one call, whose answer it is told; None is never."""

    def __init__(self):
        guard = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = "%s %s" % (self.command, self.path)
                status, body = guard.wrong.get(call) or (200, json.dumps(guard.answers[call]))
                if status is None:
                    guard.ended.wait()
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_DELETE = do

            def log_message(self, *_):
                pass

        self.wrong, self.ended = {}, threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        urls = dict.fromkeys(("identity_url", "api_url", "legacy_api_url", "managed_api_url"), self.url)
        urls["token_url"] = self.url + "/token"
        tally, verdict = {"requests": 0, "units": 0}, {"verdict": "", "reason": ""}
        client = {"id": "one", "mode": "offline", "max": None, "client_id": "id", "client_secret": "hush", "control_url": self.url}
        self.answers = {
            "POST /clients": dict(client, sandbox=urls, production=urls),
            "DELETE /clients/one": dict(verdict, tally=tally),
            "GET /tally": tally,
            "GET /verdict": verdict,
        }
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def guard():
    guard = Guard()
    yield guard
    guard.ended.set()
    guard.server.shutdown()
    guard.server.server_close()


def said(suite, guard, call, status, body, ask, **environ):
    """What a test says that asks a guard, and gets this for one of its calls."""
    project = suite("ask")
    with open(os.path.join(project.folder, "test_ask.py"), "w") as file:
        file.write("def test_it(hsharness):\n    %s\n" % ask)
    guard.wrong[call] = (status, body)
    project.run(*project.pytest(), code=1, HSHARNESS_CONTROL_URL=guard.url, HSHARNESS_CONTROL_TOKEN="the-token", **environ)
    (outcome, text), = project.results().values()
    return outcome, text.replace("#x1B", "\x1b")


CLIENTS, TOKEN, END = "POST /clients", "POST /token", "DELETE /clients/one"
CLIENT = '{"id":"x","mode":"offline","max":null,"client_id":"c","client_secret":"a-secret","control_url":"u","sandbox":"here"}'
RUBBISH = {
    "a page": (CLIENTS, 200, PAGE, "pass", "its answer is no JSON: is it a control endpoint? It answered: <html>\\x1b[31mWelcome</html>"),
    "nothing": (CLIENTS, 200, "", "pass", "its answer is empty: is it a control endpoint?"),
    "null": (CLIENTS, 200, "null", "pass", "its answer lacks id"),
    "another's JSON": (CLIENTS, 200, CLIENT, "pass", "its answer lacks sandbox.identity_url: is it a control endpoint? It answered: {\"id\":\"x\",\"mode\":\"offline\",\"max\":null,\"client_id\":\"c\",\"client_secret\":\"***"),
    "a failure that is null": (CLIENTS, 500, "null", "pass", ": is it a control endpoint? It answered: null"),
    "a failure with a number": (CLIENTS, 500, '{"detail":5}', "pass", ': is it a control endpoint? It answered: {"detail":5}'),
    "an echo": (CLIENTS, 404, "Authorization: Bearer the-token", "pass", "It answered: Authorization: Bearer ***"),
    "a long text": (CLIENTS, 200, "x" * 5000, "pass", "It answered: " + "x" * 200 + "... of 5000 bytes"),
    "counts that are none": ("GET /tally", 200, "{}", "pass", "its answer lacks requests"),
    "a verdict that is none": ("GET /verdict", 200, "[]", "pass", "its answer lacks verdict"),
    "a clock without a time": ("GET /clock", 200, '{"now":"soon"}', "hsharness.now()", "its answer lacks now"),
    "requests that are none": ("GET /requests?since=0", 200, "{}", "hsharness.requests()", "its answer is not what was asked for"),
    "an amount that is none": ("GET /left", 200, '{"left":"much"}', "hsharness.left()", "its answer lacks left"),
    "no minted token": ("POST /tokens", 200, "{}", "hsharness.mint()", "its answer lacks access_token"),
    "an end without counts": (END, 200, '{"verdict":"","reason":""}', "pass", "its answer lacks tally.requests"),
    "no token": (TOKEN, 200, '{"token":"a-secret"}', "hsharness.token()", 'its answer lacks access_token: is it a token endpoint? It answered: {"token":"***"}'),
    "a token that is a page": (TOKEN, 200, PAGE, "hsharness.token()", "its answer is no JSON: is it a token endpoint?"),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_said(suite, guard, name):
    call, status, body, ask, words = RUBBISH[name]
    outcome, text = said(suite, guard, call, status, body, ask)
    method, _, path = call.partition(" ")
    assert outcome == ("error" if call in (CLIENTS, END) else "failure")
    assert "hsharness: test_ask.py::test_it: %s %s%s: status %d" % (method, guard.url, path, status) in text
    assert words in text
    assert "a-secret" not in text and "the-token" not in text


def test_an_answer_that_never_comes(suite, guard):
    with open(os.path.join(PACKAGE, "pytest_hsharness", "wire.py")) as file:
        assert "_TIMEOUT = 60\n" in file.read()
    ask = "from pytest_hsharness import wire; wire._TIMEOUT = 0.3; hsharness.now()"
    outcome, text = said(suite, guard, "GET /clock", None, "", ask)
    assert outcome == "failure"
    assert "hsharness: test_ask.py::test_it: the guard around these tests is gone" in text
    assert "(GET %s/clock: timed out)" % guard.url in text
