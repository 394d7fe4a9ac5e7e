#!/bin/sh
# classify.sh DESCRIPTION COUNTRY prints what the classification API answers.
set -eu

token=$(curl --silent --show-error --fail "$HSHARNESS_TOKEN_URL" \
  --data grant_type=client_credentials --data scope=hs-code-classification \
  --data-urlencode "client_id=$HSHARNESS_CLIENT_ID" --data-urlencode "client_secret=$HSHARNESS_CLIENT_SECRET" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')

curl --silent --show-error --fail "$HSHARNESS_API_URL/hscode/classify" \
  --header "Authorization: Bearer $token" --header 'Content-Type: application/json' \
  --data "{\"description\":\"$1\",\"countryOfDestination\":\"$2\"}"
