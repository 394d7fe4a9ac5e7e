require "json"
require "net/http"

# The client of one test.
def call(method, url, body = nil, headers = {})
  request = Net::HTTP.const_get(method).new(URI(url), { "Content-Type" => "application/json" }.merge(headers))
  request.body = body && JSON.generate(body)
  response = Net::HTTP.start(request.uri.hostname, request.uri.port, nil) { |http| http.request(request) }
  raise "#{method} #{url}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)
  JSON.parse(response.body)
end

control = ENV.fetch("HSHARNESS_CONTROL_URL")
client = call(:Post, "#{control}/clients", { test: "a shirt", max: 3 })
begin
  # Your code gets these; here it asks by itself.
  urls = client["sandbox"]
  token = JSON.parse(Net::HTTP.post_form(URI(urls["token_url"]), grant_type: "client_credentials", scope: "hs-code-classification",
    client_id: client["client_id"], client_secret: client["client_secret"]).body)["access_token"]
  answer = call(:Post, "#{urls["api_url"]}/hscode/classify", { description: "men's cotton t-shirt", countryOfDestination: "US" }, "Authorization" => "Bearer #{token}")
  raise "it is no shirt: #{answer}" unless answer["hsCode"].start_with?("6109")
ensure
  ended = call(:Delete, "#{control}/clients/#{client["id"]}")
end
raise "#{ended["verdict"]}: #{ended["reason"]}" unless ended["verdict"].empty?
raise "it costs #{ended["tally"]["units"]} units" unless ended["tally"]["units"] == 1
