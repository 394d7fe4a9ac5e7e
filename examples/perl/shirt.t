use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP qw(decode_json encode_json);
use Test::More;

my $http = HTTP::Tiny->new(no_proxy => ['127.0.0.1']);

# The client of one test.
sub call {
    my ($method, $url, $body, %headers) = @_;
    my $answer = $http->request($method, $url, { headers => { 'Content-Type' => 'application/json', %headers }, content => $body ? encode_json($body) : '' });
    die "$method $url: $answer->{status} $answer->{content}" unless $answer->{success};
    return decode_json($answer->{content});
}

my $control = $ENV{HSHARNESS_CONTROL_URL};
my $client = call(POST => "$control/clients", { test => 'a shirt', max => 3 });
eval {
    # Your code gets these; here it asks by itself.
    my $urls = $client->{sandbox};
    my $token = decode_json($http->post_form($urls->{token_url}, { grant_type => 'client_credentials', scope => 'hs-code-classification',
        client_id => $client->{client_id}, client_secret => $client->{client_secret} })->{content})->{access_token};
    my $answer = call(POST => "$urls->{api_url}/hscode/classify", { description => "men's cotton t-shirt", countryOfDestination => 'US' }, Authorization => "Bearer $token");
    like($answer->{hsCode}, qr/^6109/, 'a shirt is a garment');
    1;
} or fail($@);
my $ended = call(DELETE => "$control/clients/$client->{id}");
is($ended->{verdict}, '', "nothing is refused: $ended->{reason}");
is($ended->{tally}{units}, 1, 'it costs one unit');
done_testing();
