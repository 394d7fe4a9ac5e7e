#!/bin/sh
# wget: prints the code of each description.
set -eu
[ $# -gt 0 ] || set -- "men's cotton t-shirt" 'laptop computer'

token=$(wget --quiet --tries=1 --output-document=- https://ai-sbx.avlr.sh/connect/token \
  --post-data "grant_type=client_credentials&scope=hs-code-classification&client_id=$AVALARA_CLIENT_ID&client_secret=$AVALARA_CLIENT_SECRET" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')

for description; do
  answer=$(wget --quiet --tries=1 --output-document=- https://hscode.api.sbx.avalara.com/hscode/classify \
    --header "Authorization: Bearer $token" --header 'Content-Type: application/json' \
    --post-data "{\"description\":\"$description\",\"countryOfDestination\":\"US\"}")
  echo "$answer" | sed 's/.*"hsCode":"\([^"]*\)".*/\1/'
done
