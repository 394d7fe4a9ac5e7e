package stand

import (
	"net/http"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/internal/avalara"
)

// apiVariables name the variable of each API's URL.
var apiVariables = map[avalara.API]string{
	avalara.Current: "HSHARNESS_API_URL", avalara.Legacy: "HSHARNESS_LEGACY_API_URL", avalara.Managed: "HSHARNESS_MANAGED_API_URL",
}

// Environ are the variables by which a command finds the stand's services of
// one environment, as NAME=value. The credentials in it are the mocks' own.
func (s *Stand) Environ(env avalara.Environment) ([]string, error) {
	id, secret := s.Client()
	control, err := s.ControlURL()
	if err != nil {
		return nil, err
	}
	vars := []string{
		"HSHARNESS_IDENTITY_URL=" + s.IdentityURL(env),
		"HSHARNESS_TOKEN_URL=" + s.TokenURL(env),
		"HSHARNESS_CLIENT_ID=" + id,
		"HSHARNESS_CLIENT_SECRET=" + secret,
		"HSHARNESS_CONTROL_URL=" + control,
		"HSHARNESS_MODE=" + s.mode.String(),
	}
	for api, name := range apiVariables {
		url, err := s.APIURL(env, api)
		if err != nil {
			return nil, err
		}
		vars = append(vars, name+"="+url)
	}
	return vars, nil
}

// controlHandler is the mocks' control endpoint, with the guard's tally at
// /tally and what its run may still spend at /left, null without a run. What
// the endpoint says of the mock APIs is of no meaning where those do not
// answer, so there it is refused.
func (s *Stand) controlHandler() http.Handler {
	mocks := s.Control()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + " " + r.URL.Path {
		case "GET /tally":
			t, _ := s.Tally() // a stand's own tally has no error
			writeJSON(w, t)
			return
		case "GET /left":
			left := map[string]*int{"left": nil}
			if units, metered := s.guard.Left(); metered {
				left["left"] = &units
			}
			writeJSON(w, left)
			return
		}
		if s.mode != guard.Offline && (r.URL.Path == "/usage" || r.URL.Path == "/reset") {
			http.Error(w, "the mock API does not answer in mode "+s.mode.String(), http.StatusConflict)
			return
		}
		mocks.ServeHTTP(w, r)
	})
}
