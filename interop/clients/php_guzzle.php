<?php
// Guzzle, which Avalara's SDK for PHP uses: prints the code of each description.

require 'GuzzleHttp/autoload.php';

$client = new GuzzleHttp\Client(['timeout' => 30]);

function post(string $url, array $request): array
{
    global $client;
    $answer = $client->post($url, $request); // throws for 4xx and 5xx
    if ($answer->getStatusCode() !== 200) {
        exit(1);
    }
    return json_decode($answer->getBody(), true);
}

$form = ['grant_type' => 'client_credentials', 'scope' => 'hs-code-classification', 'client_id' => getenv('AVALARA_CLIENT_ID'), 'client_secret' => getenv('AVALARA_CLIENT_SECRET')];
$token = post('https://ai-sbx.avlr.sh/connect/token', ['form_params' => $form])['access_token'];

foreach (array_slice($argv, 1) ?: ["men's cotton t-shirt", 'laptop computer'] as $description) {
    echo post('https://hscode.api.sbx.avalara.com/hscode/classify', ['headers' => ['Authorization' => "Bearer $token"], 'json' => ['description' => $description, 'countryOfDestination' => 'US']])['hsCode'], "\n";
}
