package services

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/mockidp"
	"github.com/hsharness/hsharness/mockidp/control"
)

// wrong is the member of a request for a token that the mock did not take.
func (r MintRequest) wrong() string {
	switch {
	case r.Defect != "" && !slices.Contains(mockidp.Defects(), r.Defect):
		return "defect"
	case r.Lifetime < 0 || time.Duration(r.Lifetime)%time.Second != 0:
		return "lifetime"
	}
	return "client_id"
}

// endpoints are the names on which a fault strikes: those of the identity service, and the
// one of all APIs.
var endpoints = []string{
	"token", "discovery", "jwks", "authorize", "endsession", "checksession", "deviceauthorization", "device", "register",
	"introspect", "revocation", "userinfo", "api",
}

// checkEndpoints refuses a fault that would never strike.
func checkEndpoints(faults []control.Fault) error {
	for _, f := range faults {
		if !known(f) {
			return fmt.Errorf("on %q is no endpoint, so the fault would never strike: it is one of %s, or left out for all of them", f.On[:min(len(f.On), 100)], strings.Join(endpoints, ", "))
		}
	}
	return nil
}

func known(f control.Fault) bool { return f.On == "" || slices.Contains(endpoints, f.On) }

// wrongFault is the member of the first fault that is none, with its place where there
// are several; empty where it is the fault as a whole, or their number.
func wrongFault(faults []control.Fault, list bool) string {
	for i, f := range faults {
		if f.Validate() == nil && known(f) {
			continue
		}
		field := wrongMember(f)
		if field != "" && list {
			field = fmt.Sprintf("[%d].%s", i, field)
		}
		return field
	}
	return ""
}

func wrongMember(f control.Fault) string {
	switch {
	case !known(f):
		return "on"
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return "status"
	case f.Probability < 0 || f.Probability > 1 || math.IsNaN(f.Probability):
		return "probability"
	case f.Times < 0:
		return "times"
	case f.Truncate < 0:
		return "truncate"
	case f.Latency < 0:
		return "latency"
	case slices.ContainsFunc(f.Nth, func(n int) bool { return n < 1 }):
		return "nth"
	case f.Token != "" && (!slices.Contains(control.TokenDefects(), f.Token) || f.On != "" && f.On != "token"):
		return "token"
	}
	return ""
}
