package services

import "github.com/hsharness/hsharness/internal/avalara"

// apiVariables name the variable of each API's URL.
var apiVariables = map[avalara.API]string{
	avalara.Current: "HSHARNESS_API_URL", avalara.Legacy: "HSHARNESS_LEGACY_API_URL", avalara.Managed: "HSHARNESS_MANAGED_API_URL",
}

// Environ are the variables by which a command finds the services of one
// environment, as NAME=value. The credentials in it are the mocks' own.
func (e *Endpoints) Environ(env avalara.Environment) []string {
	vars := []string{
		"HSHARNESS_IDENTITY_URL=" + e.Of(env).Identity,
		"HSHARNESS_TOKEN_URL=" + e.Of(env).Token,
		"HSHARNESS_CLIENT_ID=" + e.ClientID,
		"HSHARNESS_CLIENT_SECRET=" + e.ClientSecret,
		"HSHARNESS_CONTROL_URL=" + e.ControlURL,
	}
	for api, name := range apiVariables {
		vars = append(vars, name+"="+e.Of(env).of(api))
	}
	if e.ControlToken != "" {
		vars = append(vars, "HSHARNESS_CONTROL_TOKEN="+e.ControlToken)
	}
	return vars
}

// Environ are the variables by which a command finds these services of
// one environment. It opens their listeners.
func (s *Local) Environ(env avalara.Environment) ([]string, error) {
	e, err := s.endpoints()
	if err != nil {
		return nil, err
	}
	return append(e.Environ(env), "HSHARNESS_MODE="+s.mode.String()), nil
}
