"""urllib3: prints the code of each description."""

import json
import os
import sys

import urllib3

pool = urllib3.PoolManager(timeout=30, retries=False)


def post(url, **request):
    answer = pool.request("POST", url, **request)
    if answer.status != 200:
        sys.exit(f"{url}: {answer.status} {answer.data}")
    return json.loads(answer.data)


form = {
    "grant_type": "client_credentials",
    "scope": "hs-code-classification",
    "client_id": os.environ["AVALARA_CLIENT_ID"],
    "client_secret": os.environ["AVALARA_CLIENT_SECRET"],
}
token = post("https://ai-sbx.avlr.sh/connect/token", fields=form, encode_multipart=False)["access_token"]

for description in sys.argv[1:] or ["men's cotton t-shirt", "laptop computer"]:
    product = {"description": description, "countryOfDestination": "US"}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    print(post("https://hscode.api.sbx.avalara.com/hscode/classify", body=json.dumps(product), headers=headers)["hsCode"])
