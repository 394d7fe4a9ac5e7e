package services

import (
	"fmt"
	"math"
	"slices"
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

// wrongFault is the member of the first fault that is none, with its place where there
// are several; empty where it is the fault as a whole, or their number.
func wrongFault(faults []control.Fault, list bool) string {
	for i, f := range faults {
		if f.Validate() == nil {
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
	case f.Token != "" && !slices.Contains(control.TokenDefects(), f.Token):
		return "token"
	}
	return ""
}
