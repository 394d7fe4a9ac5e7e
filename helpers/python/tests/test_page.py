"""docs/pytest.md as written: its file is written, its commands typed."""

import os
import re
import shutil
import sys

from conftest import PACKAGE

ROOT = os.path.abspath(os.path.join(PACKAGE, "..", ".."))

SHOP = '''import json, urllib.error, urllib.parse, urllib.request

def code(h, description):
    form = {"grant_type": "client_credentials", "client_id": h.client_id, "client_secret": h.client_secret, "scope": "hs-code-classification"}
    with urllib.request.urlopen(h.token_url, urllib.parse.urlencode(form).encode()) as answer:
        token = json.load(answer)["access_token"]
    body = json.dumps({"description": description, "countryOfDestination": "US"}).encode()
    def ask():
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + token}
        with urllib.request.urlopen(urllib.request.Request(h.api_url + "/hscode/classify", body, headers)) as answer:
            return json.load(answer)["hsCode"]
    try:
        return ask()
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
        return ask()
'''


def read_page(name):
    """The blocks of a page: their languages and texts."""
    with open(os.path.join(ROOT, name)) as file:
        return re.findall(r"^```([a-z]*)\n(.*?)^```$", file.read(), re.M | re.S)


def test_the_page_as_written(suite, sandbox, program, tmp_path):
    project = suite("ask")
    sandbox.grant(project, 100)
    project.environ.update(PYTHONPATH="", PYTEST_PLUGINS="", HSHARNESS_BIN="")
    project.run(sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", "venv")
    tools = tmp_path / "venv" / "bin"
    shutil.copy(program, tools / "hsharness")
    (tools / "pytest").write_text('#!/bin/sh\nexec python3 -m pytest -p no:cacheprovider "$@"\n')
    (tools / "pytest").chmod(0o755)
    os.remove(tmp_path / "test_ask.py")
    (tmp_path / "shop.py").write_text(SHOP)
    path = str(tools) + os.pathsep + os.environ["PATH"]

    def types(line):
        return project.run("sh", "-c", line.replace("path/to/hsharness", ROOT), PATH=path, PIP_NO_INDEX="1")

    typed, said = 0, ""
    for language, text in read_page("docs/pytest.md"):
        if language == "python":
            (tmp_path / text.splitlines()[0].split()[1]).write_text(text)
        if language == "text":
            said = text
        for line in text.splitlines() if language == "sh" else ():
            typed += 1
            if "go install" in line:
                continue  # it is here already
            if line.startswith("HSHARNESS_MODE=replay"):
                failed = project.run("sh", "-c", line, PATH=path, code=1)
                types("hsharness exec --mode record --max-spend 20 -- pytest")  # the recordings that it needs
            types(line)
    assert typed == 5
    assert all(line in failed for line in said.splitlines()), "what the page shows is not what is said"
    assert sandbox.served() == 1, "one product, bought once"
