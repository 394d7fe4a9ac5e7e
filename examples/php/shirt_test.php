<?php
declare(strict_types=1);

/** The client of one test. */
function call(string $method, string $url, ?string $body = null, array $headers = ['Content-Type: application/json']): array
{
    $context = stream_context_create(['http' => ['method' => $method, 'header' => $headers, 'content' => $body ?? '', 'ignore_errors' => true]]);
    $text = (string) file_get_contents($url, false, $context);
    if (!preg_match('{^HTTP/\S+ 2}', $http_response_header[0] ?? '')) {
        throw new RuntimeException("$method $url: " . ($http_response_header[0] ?? 'no answer') . " $text");
    }
    return json_decode($text, true, flags: JSON_THROW_ON_ERROR);
}

$control = getenv('HSHARNESS_CONTROL_URL');
$client = call('POST', "$control/clients", json_encode(['test' => 'a shirt', 'max' => 3]));
try {
    // Your code gets these; here it asks by itself.
    ['token_url' => $tokenUrl, 'api_url' => $apiUrl] = $client['sandbox'];
    $form = http_build_query(['grant_type' => 'client_credentials', 'scope' => 'hs-code-classification',
        'client_id' => $client['client_id'], 'client_secret' => $client['client_secret']]);
    $token = call('POST', $tokenUrl, $form, ['Content-Type: application/x-www-form-urlencoded'])['access_token'];
    $answer = call('POST', "$apiUrl/hscode/classify", json_encode(['description' => "men's cotton t-shirt", 'countryOfDestination' => 'US']),
        ['Content-Type: application/json', "Authorization: Bearer $token"]);
    str_starts_with($answer['hsCode'], '6109') || throw new RuntimeException('it is no shirt: ' . $answer['hsCode']);
} finally {
    $ended = call('DELETE', "$control/clients/{$client['id']}");
}
$ended['verdict'] === '' || throw new RuntimeException("{$ended['verdict']}: {$ended['reason']}");
$ended['tally']['units'] === 1 || throw new RuntimeException("it costs {$ended['tally']['units']} units");
