# Net::HTTP of the standard library: prints the code of each description.
require "json"
require "net/http"

def post(url, body, headers = {})
  answer = Net::HTTP.post(URI(url), body, headers)
  abort "#{url}: #{answer.code} #{answer.body}" unless answer.code == "200"
  JSON.parse(answer.body)
end

form = { grant_type: "client_credentials", scope: "hs-code-classification", client_id: ENV.fetch("AVALARA_CLIENT_ID"), client_secret: ENV.fetch("AVALARA_CLIENT_SECRET") }
token = post("https://ai-sbx.avlr.sh/connect/token", URI.encode_www_form(form), { "Content-Type" => "application/x-www-form-urlencoded" })["access_token"]

descriptions = ARGV.empty? ? ["men's cotton t-shirt", "laptop computer"] : ARGV
descriptions.each do |description|
  product = { description: description, countryOfDestination: "US" }
  puts post("https://hscode.api.sbx.avalara.com/hscode/classify", product.to_json, { "Authorization" => "Bearer #{token}", "Content-Type" => "application/json" })["hsCode"]
end
