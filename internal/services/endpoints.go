package services

import (
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// URLs are the base URLs of one environment's services, and its token endpoint.
type URLs struct {
	Identity string `json:"identity_url"`
	Token    string `json:"token_url"`
	API      string `json:"api_url"`
	Legacy   string `json:"legacy_api_url"`
	Managed  string `json:"managed_api_url"`
}

// Endpoints is all that a client of the mocks has to know. The credentials are
// the mocks' own.
type Endpoints struct {
	Production URLs   `json:"production"`
	Sandbox    URLs   `json:"sandbox"`
	ControlURL string `json:"control_url"`
	// ControlToken is what calls of the control endpoint must show, as a bearer
	// token. Empty where it can be reached from this machine alone.
	ControlToken string `json:"control_token,omitempty"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	// CAFile is where the certificate is that those who connect have to trust.
	// Empty without TLS.
	CAFile string `json:"ca_file,omitempty"`
}

// Of returns the URLs of one environment.
func (e *Endpoints) Of(env avalara.Environment) *URLs {
	if env == avalara.Production {
		return &e.Production
	}
	return &e.Sandbox
}

// check refuses URLs that lead to a real host: whoever says that mocks and a
// guard are there is none.
func (e *Endpoints) check() error {
	all := []string{e.ControlURL}
	for _, u := range []URLs{e.Sandbox, e.Production} {
		all = append(all, u.Identity, u.Token, u.API, u.Legacy, u.Managed)
	}
	for _, text := range all {
		if text == "" {
			continue
		}
		if _, err := guard.LocalURL(text); err != nil {
			return err
		}
	}
	return nil
}

// set stores the base URL of one API.
func (u *URLs) set(api avalara.API, url string) {
	switch api {
	case avalara.Legacy:
		u.Legacy = url
	case avalara.Managed:
		u.Managed = url
	default:
		u.API = url
	}
}

// of is the base URL of one API.
func (u *URLs) of(api avalara.API) string {
	switch api {
	case avalara.Legacy:
		return u.Legacy
	case avalara.Managed:
		return u.Managed
	}
	return u.API
}
