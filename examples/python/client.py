"""A client of the classification API as an application would have it."""

import json
import os
import time
import urllib.parse
import urllib.request


class Client:
    def __init__(self, api_url, token_url, client_id, client_secret):
        self._api_url = api_url
        self._token_url = token_url
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token, self._until = None, 0

    @classmethod
    def from_environment(cls):
        names = ("API_URL", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET")
        return cls(*(os.environ["HSHARNESS_" + name] for name in names))

    def _access_token(self):
        if time.time() >= self._until:
            form = {"grant_type": "client_credentials", "scope": "hs-code-classification", **self._credentials}
            body = urllib.parse.urlencode(form).encode()
            with urllib.request.urlopen(self._token_url, body) as response:
                answer = json.load(response)
            self._token, self._until = answer["access_token"], time.time() + answer["expires_in"] - 300
        return self._token

    def code(self, description, country):
        """The HS code of a product for imports into a country."""
        request = urllib.request.Request(
            self._api_url + "/hscode/classify",
            json.dumps({"description": description, "countryOfDestination": country}).encode(),
            {"Content-Type": "application/json", "Authorization": "Bearer " + self._access_token()},
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)["hsCode"]
