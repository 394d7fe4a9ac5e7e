<?php
// file_get_contents with a stream of https: prints the code of each description.

function post(string $url, string $body, array $headers): array
{
    $context = stream_context_create(['http' => ['method' => 'POST', 'content' => $body, 'header' => $headers, 'timeout' => 30]]);
    $answer = file_get_contents($url, false, $context); // false for any status but 2xx
    if ($answer === false || !str_contains($http_response_header[0], ' 200 ')) {
        exit(1);
    }
    return json_decode($answer, true);
}

$form = ['grant_type' => 'client_credentials', 'scope' => 'hs-code-classification', 'client_id' => getenv('AVALARA_CLIENT_ID'), 'client_secret' => getenv('AVALARA_CLIENT_SECRET')];
$token = post('https://ai-sbx.avlr.sh/connect/token', http_build_query($form), ['Content-Type: application/x-www-form-urlencoded'])['access_token'];

foreach (array_slice($argv, 1) ?: ["men's cotton t-shirt", 'laptop computer'] as $description) {
    $product = json_encode(['description' => $description, 'countryOfDestination' => 'US']);
    echo post('https://hscode.api.sbx.avalara.com/hscode/classify', $product, ["Authorization: Bearer $token", 'Content-Type: application/json'])['hsCode'], "\n";
}
