package services

import (
	"net/http"
	"net/url"

	"github.com/hsharness/hsharness/internal/avalara"
)

// Authorized returns a transport that puts the default client's token on each
// request that has no Authorization header and goes to one of a service's APIs
// or their real hosts, with the scope of that host. base sends the requests.
func Authorized(s Service, base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		env, scope, ok := scopeOf(s, r.URL)
		if !ok {
			return base.RoundTrip(r)
		}
		r = r.Clone(r.Context())
		if r.Header.Get("Authorization") == "" {
			token, err := s.Token(r.Context(), env, scope)
			if err != nil {
				return nil, err
			}
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return base.RoundTrip(r)
	})
}

// scopeOf tells for a URL which environment and scope it stands for.
func scopeOf(s Service, u *url.URL) (avalara.Environment, string, bool) {
	for _, env := range avalara.Environments() {
		for _, api := range avalara.APIs() {
			h := avalara.HostOf(env, api)
			if u.Host != "" && u.Host == h.Name || s.hasAPI(env, api, u) {
				return env, h.Scopes[0], true
			}
		}
	}
	return "", "", false
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
