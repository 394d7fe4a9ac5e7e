<?php
// The curl extension: prints the code of each description.

function post(string $url, string $body, array $headers): array
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_POSTFIELDS => $body, CURLOPT_HTTPHEADER => $headers, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 30]);
    $answer = curl_exec($curl);
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    if ($status !== 200) {
        fwrite(STDERR, "$url: $status " . curl_error($curl) . "\n");
        exit(1);
    }
    return json_decode($answer, true);
}

$form = ['grant_type' => 'client_credentials', 'scope' => 'hs-code-classification', 'client_id' => getenv('AVALARA_CLIENT_ID'), 'client_secret' => getenv('AVALARA_CLIENT_SECRET')];
$token = post('https://ai-sbx.avlr.sh/connect/token', http_build_query($form), [])['access_token'];

foreach (array_slice($argv, 1) ?: ["men's cotton t-shirt", 'laptop computer'] as $description) {
    $product = json_encode(['description' => $description, 'countryOfDestination' => 'US']);
    echo post('https://hscode.api.sbx.avalara.com/hscode/classify', $product, ["Authorization: Bearer $token", 'Content-Type: application/json'])['hsCode'], "\n";
}
