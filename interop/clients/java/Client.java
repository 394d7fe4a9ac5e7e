import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/** HttpClient, or HttpURLConnection where that is the first argument: prints the code of each description. */
class Client {
    static final HttpClient http = HttpClient.newHttpClient();

    static boolean old;

    static String post(String url, String body, String... headers) throws Exception {
        if (old) return postOld(url, body, headers);
        var request = HttpRequest.newBuilder(URI.create(url)).POST(BodyPublishers.ofString(body)).headers(headers).build();
        var answer = http.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new Exception(url + ": " + answer.statusCode() + " " + answer.body());
        return answer.body();
    }

    static String postOld(String url, String body, String... headers) throws Exception {
        var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        for (int i = 0; i < headers.length; i += 2) connection.setRequestProperty(headers[i], headers[i + 1]);
        connection.setDoOutput(true);
        connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        if (connection.getResponseCode() != 200) throw new Exception(url + ": " + connection.getResponseCode());
        try (var answer = connection.getInputStream()) {
            return new String(answer.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    static String member(String json, String name) throws Exception {
        var found = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!found.find()) throw new Exception(name + " is not in " + json);
        return found.group(1);
    }

    static String env(String name) {
        return URLEncoder.encode(System.getenv(name), StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws Exception {
        List<String> descriptions = Arrays.asList(args);
        old = args.length > 0 && args[0].equals("HttpURLConnection");
        if (old) descriptions = descriptions.subList(1, args.length);
        if (descriptions.isEmpty()) descriptions = List.of("men's cotton t-shirt", "laptop computer");
        String form = "grant_type=client_credentials&scope=hs-code-classification&client_id=" + env("AVALARA_CLIENT_ID") + "&client_secret=" + env("AVALARA_CLIENT_SECRET");
        String token = member(post("https://ai-sbx.avlr.sh/connect/token", form, "Content-Type", "application/x-www-form-urlencoded"), "access_token");
        for (String description : descriptions) {
            String product = "{\"description\":\"" + description + "\",\"countryOfDestination\":\"US\"}";
            System.out.println(member(post("https://hscode.api.sbx.avalara.com/hscode/classify", product, "Content-Type", "application/json", "Authorization", "Bearer " + token), "hsCode"));
        }
    }
}
