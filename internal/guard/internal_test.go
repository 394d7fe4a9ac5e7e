package guard

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzErrorNumbers(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"details":[{"number":1715}]}}`, `{"details":[{"number":"1715"},{"number":null}]}`, `{"error":"x","details":[{"number":1}]}`,
		`{"details":{"number":1}}`, `[]`, `{"error":{"details":[{"number":1e3}]}}`, `{`,
	} {
		f.Add([]byte(seed), 429)
	}
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		for _, n := range errorNumbers(body) {
			rule := ExhaustedRule{Number: n}
			if n != 0 && rule.matches(status, body) != (status >= 400) {
				t.Errorf("rule %+v does not match status %d, %s", rule, status, body)
			}
		}
	})
}

func TestErrorNumbers(t *testing.T) {
	for body, want := range map[string][]int{
		`{"error":{"details":[{"number":1},{"number":"2"}]},"details":[{"number":3}]}`: {1, 2, 3},
		`{"error":"unauthorized","details":[{"number":4}]}`:                            {4},
		`{"error":{"details":[{"number":{}},{"code":7},{"number":5}]}}`:                {5},
		`{"error":{"details":"none"}}`:                                                 nil,
		`<html>1715</html>`:                                                            nil,
		``:                                                                             nil,
	} {
		assert.Equal(t, want, errorNumbers([]byte(body)), body)
	}
}

func TestNameTest(t *testing.T) {
	h := http.Header{}
	NameTest(h, "")
	assert.Empty(t, h)
	NameTest(h, "two\tgoods\x00\nüber\n")
	assert.Equal(t, "two goods  über", h.Get(TestHeader))
	NameTest(h, "another")
	assert.Equal(t, "two goods  über", h.Get(TestHeader), "the first one stays")
	assert.Equal(t, "command curl", CommandTest([]string{"/usr/bin/curl", "-H", "Authorization: secret"}), "arguments may be secrets")
	assert.Empty(t, CommandTest(nil))
	assert.Equal(t, "a\uFFFDb", (&Guard{}).testOf(&http.Request{Header: http.Header{TestHeader: {"a\xffb"}}}), "a ledger takes no other text")
	of := Guard{cfg: Config{Test: "a\x00b\n" + strings.Repeat("é", 3000)}}
	assert.Equal(t, "a b "+strings.Repeat("é", 2046), of.testOf(&http.Request{}), "nor a longer one")
}

// TestPriceCannotOverflow: the dearest batch that a body can hold is still
// counted, not free.
func TestPriceCannotOverflow(t *testing.T) {
	assert.Positive(t, maxCost*maxBody)
	assert.Error(t, Operations{{Match: "POST /x", Cost: maxCost + 1}}.Validate())
}

// TestTheTransportKnowsNoProduction: also where a setting, a proxy or a header
// would lead there.
func TestTheTransportKnowsNoProduction(t *testing.T) {
	t.Parallel()
	for url, host := range map[string]string{
		"https://hscode.api.avalara.com/":     "",
		"https://HSCODE.api.avalara.com.:80/": "",
		"http://127.0.0.1:1/":                 "identity.avalara.com",
		"https://hscode。api。avalara。com/":     "",
		"http://127.0.0.1:2/":                 "hscode。api。avalara。com",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
		require.NoError(t, err)
		if r.Host = host; host == "" {
			r.Host = r.URL.Host
		}
		_, err = newTransport(Proxy{}, new(passage)).RoundTrip(r)
		assert.True(t, errors.As(err, new(*ProductionError)) || strings.Contains(err.Error(), "plain ASCII"), "%s %s: %v", url, host, err)
	}
	_, err := dialSandbox(t.Context(), "tcp", "hscode.api.avalara.com:443")
	require.ErrorAs(t, err, new(*ProductionError))
}
