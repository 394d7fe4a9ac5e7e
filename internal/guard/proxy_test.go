package guard_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// routes says what two URLs are asked through.
func routes(setting string, environ map[string]string, identity, api string) (string, error) {
	u := guard.Upstream{Identity: identity, APIs: map[avalara.API]string{avalara.Current: api}}
	u.Proxy = guard.ReadProxy(setting, func(name string) string { return environ[name] })
	all, err := u.Routes()
	text := ""
	for _, r := range all {
		text += r.Proxy + ";"
	}
	return text, err
}

func TestWhatConnectionsGoThrough(t *testing.T) {
	t.Parallel()
	const identity, api = "https://ai-sbx.avlr.sh", "http://api.sbx.example:8080"
	both := map[string]string{"HTTPS_PROXY": "http://s.example:1", "HTTP_PROXY": "u:p@h.example:2"}
	with := func(more ...string) map[string]string {
		all := map[string]string{}
		for name, value := range both {
			all[name] = value
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for _, row := range []struct {
		setting string
		environ map[string]string
		want    string
	}{
		{"", nil, ";;"},
		{"", both, "s.example:1;h.example:2;"},
		{"environment", both, "s.example:1;h.example:2;"},
		{"none", both, ";;"},
		{"socks5://u:p@x.example", both, "x.example:1080;x.example:1080;"},
		{"https://x.example", nil, "x.example:443;x.example:443;"},
		{"http://[::1]:3128", nil, "[::1]:3128;[::1]:3128;"},
		{"", map[string]string{"https_proxy": "s.example:1"}, "s.example:1;;"},
		{"", with("https_proxy", "other.example:1"), "s.example:1;h.example:2;"},
		{"", with("REQUEST_METHOD", "GET"), "s.example:1;;"},
		{"", with("NO_PROXY", "*"), ";;"},
		{"", with("NO_PROXY", "avlr.sh, API.sbx.example"), ";;"},
		{"", with("no_proxy", ".avlr.sh,api.sbx.example:8080"), ";;"},
		{"", with("NO_PROXY", "*.avlr.sh,.api.sbx.example,api.sbx.example:80"), ";h.example:2;"},
		{"", with("NO_PROXY", "vlr.sh,10.0.0.0/8,::1,nonsense/,,"), "s.example:1;h.example:2;"},
	} {
		got, err := routes(row.setting, row.environ, identity, api)
		require.NoError(t, err)
		assert.Equal(t, row.want, got, "%q %v", row.setting, row.environ)
	}
	for _, here := range []string{"http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://LOCALHOST.", "http://127.8.8.8", "http://[::ffff:127.0.0.1]:1"} {
		for _, setting := range []string{"", "http://x.example"} {
			got, err := routes(setting, both, here, here)
			require.NoError(t, err, here)
			assert.Equal(t, ";", got, here)
		}
	}
	for no, want := range map[string]string{"10.77.0.1": ";", "10.0.0.0/8": ";", "10.77.0.1:8080": ";", "10.77.0.1:1": "h.example:2;", "10.77.0.10": "h.example:2;"} {
		got, err := routes("", with("NO_PROXY", no), "http://10.77.0.1:8080", "http://10.77.0.1:8080")
		require.NoError(t, err)
		assert.Equal(t, want, got, no)
	}
}

func TestWhatIsNoProxy(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"ftp://u:hidden-word@x.example", "http://u:hidden-word@", "http://u:hidden-word@x.example/path", "http://u:hidden-word@x.example?q", "http://u:hidden-word@\u00adx.example",
		"http://u:hidden-word@x.example:99999", "http://u:hidden-word%zz@x.example", "http://u:hidden-word@hscode.api.avalara.com:443", "http://u:hidden-word@AI-SBX.avlr.sh.",
	} {
		for _, setting := range []string{text, ""} {
			_, err := routes(setting, map[string]string{"HTTPS_PROXY": text}, "https://sandbox.example", "https://sandbox.example")
			require.Error(t, err, text)
			assert.NotContains(t, err.Error(), "hidden", text)
		}
		require.Error(t, guard.CheckProxy(text))
		_, err := routes("none", map[string]string{"HTTPS_PROXY": text}, "https://sandbox.example", "")
		require.NoError(t, err)
		_, err = routes("", map[string]string{"HTTPS_PROXY": text}, "http://127.0.0.1:1", "http://127.0.0.1:1")
		require.NoError(t, err, "what is not used breaks nothing")
	}
	for _, text := range []string{"none", "environment", "${PROXY}", "http://u:p@x.example:3128", "socks5h://x.example"} {
		assert.NoError(t, guard.CheckProxy(text), text)
	}
	shown := guard.ReadProxy("http://user:hidden-word@x.example:3128", nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(verb, shown), "hidden", verb)
	}
	assert.Equal(t, "x.example:3128", shown.String())
}
