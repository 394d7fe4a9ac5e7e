"""urllib of the standard library: prints the code of each description."""

import json
import os
import sys
import urllib.parse
import urllib.request


def post(url, body, headers):
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        if answer.status != 200:
            sys.exit(f"{url}: {answer.status}")
        return json.load(answer)


form = {
    "grant_type": "client_credentials",
    "scope": "hs-code-classification",
    "client_id": os.environ["AVALARA_CLIENT_ID"],
    "client_secret": os.environ["AVALARA_CLIENT_SECRET"],
}
token = post("https://ai-sbx.avlr.sh/connect/token", urllib.parse.urlencode(form).encode(), {})["access_token"]

for description in sys.argv[1:] or ["men's cotton t-shirt", "laptop computer"]:
    product = {"description": description, "countryOfDestination": "US"}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    print(post("https://hscode.api.sbx.avalara.com/hscode/classify", json.dumps(product).encode(), headers)["hsCode"])
