package clients

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// client is one that the gallery shows.
type client struct {
	// name and from are as the page has them: what it is, and where it is from.
	name, from string
	// program is the file of its source, command what runs it in the folder of the
	// programs.
	program string
	command []string
	// env has variables that it needs besides.
	env []string
}

// python is Debian's, which has the packages.
const python = "/usr/bin/python3"

// clients are all of them, in the order of the page.
var clients = []client{
	{name: "curl", from: "Debian", program: "curl.sh", command: []string{"sh", "curl.sh"}},
	{name: "wget (GnuTLS)", from: "Debian", program: "wget.sh", command: []string{"sh", "wget.sh"}},
	{name: "Python urllib", from: "Debian", program: "python_urllib.py", command: []string{python, "python_urllib.py"}},
	{name: "Python urllib3", from: "Debian", program: "python_urllib3.py", command: []string{python, "python_urllib3.py"}},
	{name: "Python requests", from: "Debian", program: "python_requests.py", command: []string{python, "python_requests.py"}},
	{name: "Python requests with a certifi that has its own roots, as PyPI's has", from: "Debian", program: "python_requests.py", command: []string{python, "python_requests.py"}, env: []string{"PYTHONPATH=pypi"}},
	{name: "Python httpx", from: "Debian", program: "python_httpx.py", command: []string{python, "python_httpx.py"}},
	{name: "Node fetch", from: "Debian", program: "node_fetch.mjs", command: []string{"node", "node_fetch.mjs"}},
	{name: "Node https", from: "Debian", program: "node_https.mjs", command: []string{"node", "node_https.mjs"}},
	{name: "axios", from: "npm", program: "node_axios.mjs", command: []string{"node", "node_axios.mjs"}},
	{name: "node-fetch 2", from: "npm", program: "node_node_fetch.mjs", command: []string{"node", "node_node_fetch.mjs"}},
	{name: "openid-client", from: "npm", program: "node_openid_client.mjs", command: []string{"node", "node_openid_client.mjs"}},
	// Java keeps figures of a process in /tmp by its number, which two seals may have at once: it
	// says so on its standard output.
	{name: "Java HttpClient", from: "Debian", program: "java/Client.java", command: []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", "java", "Client"}},
	{name: "Java HttpURLConnection", from: "Debian", program: "java/Client.java", command: []string{"java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", "java", "Client", "HttpURLConnection"}},
	{name: "PHP curl", from: "Debian", program: "php_curl.php", command: []string{"php", "php_curl.php"}},
	{name: "PHP streams", from: "Debian", program: "php_streams.php", command: []string{"php", "php_streams.php"}},
	{name: "PHP Guzzle", from: "Debian", program: "php_guzzle.php", command: []string{"php", "php_guzzle.php"}},
	{name: "Ruby Net::HTTP", from: "Debian", program: "ruby_net_http.rb", command: []string{"ruby", "ruby_net_http.rb"}},
	{name: "Ruby Faraday", from: "Debian", program: "ruby_faraday.rb", command: []string{"ruby", "ruby_faraday.rb"}},
	{name: "Perl HTTP::Tiny", from: "Debian", program: "perl_http_tiny.pl", command: []string{"perl", "perl_http_tiny.pl"}},
	{name: "Perl LWP", from: "Debian", program: "perl_lwp.pl", command: []string{"perl", "perl_lwp.pl"}},
	{name: "Go net/http, static", from: "Go", program: "static/main.go", command: []string{"static/static"}},
}

// ours are words by which a program would be one of ours, or go somewhere else than to
// the real service.
var ours = regexp.MustCompile(`(?i)hsharness|sealed|guard|mock|localhost|127\.0\.0|[a-z]*proxy|cert|cafile|insecure|verify *[=:] *(false|0)`)

// TestProgramsKnowNothingOfUs reads each program: the real URLs are in it, and nothing
// that would lead it to us or make it trust us.
func TestProgramsKnowNothingOfUs(t *testing.T) {
	var seen []string
	for _, c := range clients {
		seen = append(seen, c.program)
		text, err := os.ReadFile(c.program)
		if err != nil {
			t.Fatal(err)
		}
		token := "https://ai-sbx.avlr.sh/connect/token"
		if strings.Contains(string(text), "discovery(") {
			token = "https://ai-sbx.avlr.sh"
		}
		for _, url := range []string{token, "https://hscode.api.sbx.avalara.com/hscode/classify"} {
			if !strings.Contains(string(text), url) {
				t.Errorf("%s does not have %s built in", c.program, url)
			}
		}
		if word := ours.FindString(string(text)); word != "" {
			t.Errorf("%s knows something: %s", c.program, word)
		}
	}
	for _, pattern := range []string{"*.sh", "*.py", "*.mjs", "*.php", "*.rb", "*.pl", "*/*.java", "*/main.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !slices.Contains(seen, filepath.ToSlash(file)) {
				t.Errorf("%s is run for no client", file)
			}
		}
	}
}
