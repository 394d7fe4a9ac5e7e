"""What the suites ask: code under test that uses the environment alone, as a user's would."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request


def token():
    form = {
        "grant_type": "client_credentials",
        "scope": "hs-code-classification",
        "client_id": os.environ["HSHARNESS_CLIENT_ID"],
        "client_secret": os.environ["HSHARNESS_CLIENT_SECRET"],
    }
    with urllib.request.urlopen(os.environ["HSHARNESS_TOKEN_URL"], urllib.parse.urlencode(form).encode()) as answer:
        return json.load(answer)["access_token"]


def classify(description, bearer=None):
    """The status of a classification."""
    request = urllib.request.Request(
        os.environ["HSHARNESS_API_URL"] + "/hscode/classify",
        json.dumps({"description": description, "countryOfDestination": "US"}).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer " + (bearer or token())},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
