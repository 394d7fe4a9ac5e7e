import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Pattern;

class ShirtTest {
    static final HttpClient http = HttpClient.newHttpClient();

    static String call(String method, String url, String body, String... headers) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(url)).method(method, BodyPublishers.ofString(body)).headers(headers).build();
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() / 100 != 2) throw new AssertionError(method + " " + url + ": " + response.statusCode() + " " + response.body());
        return response.body();
    }

    /** A member of an answer; your JSON library has a better way. */
    static String member(String json, String name) {
        var found = Pattern.compile("\"" + name + "\":\"?([^\",}]*)").matcher(json);
        if (!found.find()) throw new AssertionError(name + " is not in " + json);
        return found.group(1);
    }

    public static void main(String[] args) throws Exception {
        String control = System.getenv("HSHARNESS_CONTROL_URL"), json = "application/json", ended;
        String client = call("POST", control + "/clients", "{\"test\":\"a shirt\",\"max\":3}", "Content-Type", json);
        try {
            // Your code gets these; here it asks by itself.
            String sandbox = client.substring(client.indexOf("\"sandbox\""));
            String form = "grant_type=client_credentials&scope=hs-code-classification&client_id=" + member(client, "client_id") + "&client_secret=" + member(client, "client_secret");
            String token = member(call("POST", member(sandbox, "token_url"), form, "Content-Type", "application/x-www-form-urlencoded"), "access_token");
            String answer = call("POST", member(sandbox, "api_url") + "/hscode/classify", "{\"description\":\"men's cotton t-shirt\",\"countryOfDestination\":\"US\"}",
                "Content-Type", json, "Authorization", "Bearer " + token);
            if (!member(answer, "hsCode").startsWith("6109")) throw new AssertionError("it is no shirt: " + answer);
        } finally {
            ended = call("DELETE", control + "/clients/" + member(client, "id"), "", "Accept", json);
        }
        if (!member(ended, "verdict").isEmpty()) throw new AssertionError(member(ended, "verdict") + ": " + member(ended, "reason"));
        if (!member(ended, "units").equals("1")) throw new AssertionError("it costs " + member(ended, "units") + " units");
    }
}
