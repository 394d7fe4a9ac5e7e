"""How a test gets everything it needs from one fixture. Move it to the tests of your client."""

import json
import urllib.parse
import urllib.request


def post(url, body, headers):
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
        return json.load(response)


def test_classify(hsharness):
    hsharness.need(1)
    # From here on it is what your own code does: a token, then the request.
    form = {
        "grant_type": "client_credentials",
        "client_id": hsharness.client_id,
        "client_secret": hsharness.client_secret,
        "scope": "hs-code-classification",
    }
    token = post(hsharness.token_url, urllib.parse.urlencode(form).encode(), {})["access_token"]
    product = {"description": "men's cotton t-shirt", "countryOfDestination": "US"}
    answer = post(
        hsharness.api_url + "/hscode/classify",
        json.dumps(product).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer " + token},
    )
    assert answer["hsCode"].startswith("6109")
    hsharness.expect_spend(1)
