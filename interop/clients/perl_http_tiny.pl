# HTTP::Tiny of Perl itself: prints the code of each description.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;

my $http = HTTP::Tiny->new(verify_SSL => 1, timeout => 30);

sub post {
    my ($url, $type, $body, %headers) = @_;
    my $answer = $http->post($url, { content => $body, headers => { 'Content-Type' => $type, %headers } });
    die "$url: $answer->{status} $answer->{content}\n" unless $answer->{status} == 200;
    return decode_json($answer->{content});
}

my $form = $http->www_form_urlencode({ grant_type => 'client_credentials', scope => 'hs-code-classification', client_id => $ENV{AVALARA_CLIENT_ID}, client_secret => $ENV{AVALARA_CLIENT_SECRET} });
my $token = post('https://ai-sbx.avlr.sh/connect/token', 'application/x-www-form-urlencoded', $form)->{access_token};

for my $description (@ARGV ? @ARGV : ("men's cotton t-shirt", 'laptop computer')) {
    my $product = encode_json({ description => $description, countryOfDestination => 'US' });
    print post('https://hscode.api.sbx.avalara.com/hscode/classify', 'application/json', $product, Authorization => "Bearer $token")->{hsCode}, "\n";
}
