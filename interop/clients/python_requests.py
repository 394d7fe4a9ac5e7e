"""requests: prints the code of each description."""

import os
import sys

import requests

form = {
    "grant_type": "client_credentials",
    "scope": "hs-code-classification",
    "client_id": os.environ["AVALARA_CLIENT_ID"],
    "client_secret": os.environ["AVALARA_CLIENT_SECRET"],
}


def post(session, url, **body):
    answer = session.post(url, timeout=30, **body)
    if answer.status_code != 200:
        sys.exit(f"{url}: {answer.status_code} {answer.text}")
    return answer.json()


with requests.Session() as session:
    token = post(session, "https://ai-sbx.avlr.sh/connect/token", data=form)["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    for description in sys.argv[1:] or ["men's cotton t-shirt", "laptop computer"]:
        product = {"description": description, "countryOfDestination": "US"}
        print(post(session, "https://hscode.api.sbx.avalara.com/hscode/classify", json=product)["hsCode"])
