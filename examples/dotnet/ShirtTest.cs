using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

var http = new HttpClient();

async Task<JsonNode> Call(HttpMethod method, string url, HttpContent? body = null, string? token = null)
{
    var request = new HttpRequestMessage(method, url) { Content = body };
    if (token != null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
    var response = await http.SendAsync(request);
    var text = await response.Content.ReadAsStringAsync();
    if (!response.IsSuccessStatusCode) throw new Exception($"{method} {url}: {(int)response.StatusCode} {text}");
    return JsonNode.Parse(text)!;
}

var control = Environment.GetEnvironmentVariable("HSHARNESS_CONTROL_URL");
var client = await Call(HttpMethod.Post, $"{control}/clients", JsonContent.Create(new { test = "a shirt", max = 3 }));
JsonNode ended;
try
{
    // Your code gets these; here it asks by itself.
    var urls = client["sandbox"]!;
    var form = new FormUrlEncodedContent(new Dictionary<string, string> {
        ["grant_type"] = "client_credentials", ["scope"] = "hs-code-classification",
        ["client_id"] = (string)client["client_id"]!, ["client_secret"] = (string)client["client_secret"]! });
    var token = (string)(await Call(HttpMethod.Post, (string)urls["token_url"]!, form))["access_token"]!;
    var answer = await Call(HttpMethod.Post, $"{urls["api_url"]}/hscode/classify", JsonContent.Create(new { description = "men's cotton t-shirt", countryOfDestination = "US" }), token);
    if (!((string)answer["hsCode"]!).StartsWith("6109")) throw new Exception($"it is no shirt: {answer}");
}
finally
{
    ended = await Call(HttpMethod.Delete, $"{control}/clients/{client["id"]}");
}
if ((string)ended["verdict"]! != "") throw new Exception($"{ended["verdict"]}: {ended["reason"]}");
if ((int)ended["tally"]!["units"]! != 1) throw new Exception($"it costs {ended["tally"]!["units"]} units");
