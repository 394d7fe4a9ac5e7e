# LWP: prints the code of each description.
use strict;
use warnings;
use JSON::PP;
use LWP::UserAgent;

my $agent = LWP::UserAgent->new(timeout => 30);

sub post {
    my ($url, @request) = @_;
    my $answer = $agent->post($url, @request);
    die "$url: ", $answer->code, ' ', $answer->content, "\n" unless $answer->code == 200;
    return decode_json($answer->content);
}

my $form = { grant_type => 'client_credentials', scope => 'hs-code-classification', client_id => $ENV{AVALARA_CLIENT_ID}, client_secret => $ENV{AVALARA_CLIENT_SECRET} };
my $token = post('https://ai-sbx.avlr.sh/connect/token', $form)->{access_token};

for my $description (@ARGV ? @ARGV : ("men's cotton t-shirt", 'laptop computer')) {
    my $product = encode_json({ description => $description, countryOfDestination => 'US' });
    print post('https://hscode.api.sbx.avalara.com/hscode/classify', 'Content-Type' => 'application/json', Authorization => "Bearer $token", Content => $product)->{hsCode}, "\n";
}
