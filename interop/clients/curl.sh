#!/bin/sh
# curl: prints the code of each description.
set -eu
[ $# -gt 0 ] || set -- "men's cotton t-shirt" 'laptop computer'

token=$(curl --silent --show-error --fail https://ai-sbx.avlr.sh/connect/token \
  --data grant_type=client_credentials --data scope=hs-code-classification \
  --data-urlencode "client_id=$AVALARA_CLIENT_ID" --data-urlencode "client_secret=$AVALARA_CLIENT_SECRET" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')

for description; do
  answer=$(curl --silent --show-error --fail https://hscode.api.sbx.avalara.com/hscode/classify \
    --header "Authorization: Bearer $token" --header 'Content-Type: application/json' \
    --data "{\"description\":\"$description\",\"countryOfDestination\":\"US\"}")
  echo "$answer" | sed 's/.*"hsCode":"\([^"]*\)".*/\1/'
done
