package mockapi_test

import (
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

// BenchmarkClassify is one request through the handler, without a socket: token,
// validation, allowance, search, answer, journal.
func BenchmarkClassify(b *testing.B) {
	for name, cfg := range map[string]mockapi.Config{
		"memory": {},
		"state":  {StateFile: filepath.Join(b.TempDir(), "state.json")},
	} {
		b.Run(name, func(b *testing.B) {
			s := serve(b, cfg)
			h, auth := s.Handler(avalara.Current), "Bearer "+s.token("c", nil)
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(http.MethodPost, avalara.PathClassify, strings.NewReader(shirt))
				req.Header.Set("Authorization", auth)
				req.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, req); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkNew is a server that nobody asks: it reads no catalogue.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mockapi.New(mockapi.Config{Key: func(string) *rsa.PublicKey { return nil }}); err != nil {
			b.Fatal(err)
		}
	}
}
