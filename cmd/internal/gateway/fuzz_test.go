package gateway

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// FuzzReadKeys checks that every key of a file without an error has a name, a cap and
// a hash.
func FuzzReadKeys(f *testing.F) {
	for _, text := range []string{"", "version: 1\n", "version: 1\nkeys: []\n", "version: 1\nkeys:\n- name: a\n  cap: 1\n  sha256: 0000000000000000000000000000000000000000000000000000000000000000\n", "version: 1\nkeys: [{name: a}, {name: a}]\n", "a: &a [*a]\n", "version: 1\nkeys:\n- name: a\n  cap: -1\n"} {
		f.Add([]byte(text))
	}
	file := filepath.Join(f.TempDir(), DefaultKeys)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := ReadKeys(file)
		for _, k := range keys {
			if err == nil && (!KeyName.MatchString(k.Name) || k.Cap < 1 || len(k.SHA256) != 64) {
				t.Fatalf("%+v", k)
			}
		}
	})
}

// FuzzCallerOf checks that who guesses is found however a request is spelled.
func FuzzCallerOf(f *testing.F) {
	f.Add("192.0.2.1:1", "Basic YWxpY2U6eA==", "client_id=alice&client_secret=x")
	f.Add("[fe80::1%eth0]:1", "basic !", "Client_ID=%zz")
	f.Add("@", "Basic", "client_id")
	f.Fuzz(func(t *testing.T, remote, authorization, body string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"Authorization": {authorization}}}
		one, again := callerOf(r, []byte(body)), callerOf(r, []byte(body))
		if one.address != again.address {
			t.Fatalf("%v, then %v", one, again)
		}
	})
}
