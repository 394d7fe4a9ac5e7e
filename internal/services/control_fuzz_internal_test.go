package services

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzControl checks that no request to a control endpoint makes a panic or a 500.
func FuzzControl(f *testing.F) {
	for _, one := range [][3]string{
		{"POST", "/faults", `[{"on":"token","status":503}]`}, {"POST", "/clock", `{"advance":"66m"}`}, {"POST", "/clock", `{"advance":"2562047h"}`},
		{"POST", "/tokens", `{"client_id":"a","scopes":["x"],"lifetime":"1h","defect":"expired"}`}, {"POST", "/device", `{"user_code":"a"}`},
		{"GET", "/requests?since=9223372036854775807", ""}, {"POST", "/clock", `{"advance":"876000h"}`}, {"POST", "/clock", `{"advance":"-876000h"}`}, {"POST", "/clock", `{"set":"9999-12-31T23:59:59Z"}`}, {"POST", "/clock", `{"set":"0001-01-01T00:00:00Z"}`},
		{"POST", "/reset", ""}, {"POST", "/tokens", `{"lifetime":"9223372036s"}`},
	} {
		f.Add(one[0], one[1], one[2])
	}
	s, err := New(Config{})
	require.NoError(f, err)
	f.Cleanup(func() { _ = s.Close() })
	handler := &endpoint{s.routes(), ""}
	f.Fuzz(func(t *testing.T, method, target, body string) {
		if strings.HasPrefix(target, "/keys") { // RSA keys take their time
			return
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+target, strings.NewReader(body))
		if err != nil || r.Host != "127.0.0.1" {
			return
		}
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%s %q %q: %d %s", method, target, body, w.Code, w.Body)
		}
	})
}
