package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSealedPageAsWritten types what the page says, for a suite that has the real URLs
// built in and that asks what listens at the machine's ports that it is told of.
func TestSealedPageAsWritten(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/sealed.md")
	require.NoError(t, err)
	p := readPage(t, "docs/sealed.md")
	r := newReader(t)
	r.writes(p.yaml[0])
	suite, err := filepath.Abs("../../interop/clients/curl.sh")
	require.NoError(t, err)
	npm := "#!/bin/sh\nset -e\nsh " + suite + "\nfor port in $PORTS; do curl -sf http://localhost:$port; done\n"
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "bin", "npm"), []byte(npm), 0o755))
	r.types("export AVALARA_CLIENT_ID=2000123456 AVALARA_CLIENT_SECRET=0F1E2D3C4B5A6978")

	port := regexp.MustCompile(`--forward (\d+)`)
	for _, line := range p.typed {
		asked, ports := 0, ""
		for _, m := range port.FindAllStringSubmatch(line, -1) {
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
			defer server.Close()
			at, err := url.Parse(server.URL)
			require.NoError(t, err)
			line, ports = strings.Replace(line, m[1], at.Port(), 1), ports+" "+at.Port()
		}
		code, out := r.types(fmt.Sprintf("PORTS='%s' %s", ports, line))
		assert.Zero(t, code, "%s\n%s", line, out)
		assert.Equal(t, len(strings.Fields(ports)), asked, line)
	}
	assert.EqualValues(t, 2, r.served(), "the suite is bought once")
	assert.EqualValues(t, 39, r.status().Spent)
	r.verify()

	said := regexp.MustCompile(`asked for 2 hosts that are not here: [a-z., ]+ · `).FindString(string(text))
	require.NotEmpty(t, said)
	const asks = ` -- sh -c "npm test; curl -s https://pypi.org; curl -s https://example.com; true"`
	code, out := r.types("hsharness exec --sealed --mode replay" + asks)
	assert.Zero(t, code, out)
	assert.Contains(t, out, said)
	code, out = r.types("hsharness exec --sealed=strict --mode replay" + asks)
	assert.Equal(t, exitPolicy, code, out)

	code, out = r.types("hsharness exec --mode record --max-spend 1 -- npm test")
	assert.Equal(t, exitPolicy, code, out)
	assert.EqualValues(t, 2, r.served(), "what was not sealed bought nothing")

	_, out = r.types("hsharness doctor")
	assert.Contains(t, out, "a run can be sealed here")
	_, out = r.types("hsharness exec --sealed --quiet -- env")
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "JAVA_TOOL_OPTIONS", "PHP_INI_SCAN_DIR"} {
		assert.Regexp(t, "(?m)^"+name+"=.+", out)
		assert.True(t, strings.Contains(string(text), "`"+name+"`"), name)
	}
}
