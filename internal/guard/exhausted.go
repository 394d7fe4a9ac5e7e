package guard

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
)

// ExhaustedRule recognizes the answer of a service that has nothing left. The
// zero rule recognizes every answer of 400 and above.
type ExhaustedRule struct {
	// Number is an error number in the answer's body; zero looks at none.
	Number int `json:"number,omitempty" yaml:"number,omitempty"`
	// Status is the answer's HTTP status; zero is any.
	Status int `json:"status,omitempty" yaml:"status,omitempty"`
}

// DefaultExhausted is what an exhausted sandbox is taken to answer. What it
// really answers is public nowhere, so both are assumed: see policy.exhausted.
func DefaultExhausted() []ExhaustedRule {
	return []ExhaustedRule{{Number: avalara.RequestLimitExceeded.Number}, {Status: http.StatusPaymentRequired}}
}

// Exhausted tells which answers the rules recognize, for the NeverAnswer of
// recordings: what says that nothing is left answers no later request. Nil means
// [DefaultExhausted].
func Exhausted(rules []ExhaustedRule) func(status int, body []byte) bool {
	if rules == nil {
		rules = DefaultExhausted()
	}
	return func(status int, body []byte) bool {
		return slices.ContainsFunc(rules, func(rule ExhaustedRule) bool { return rule.matches(status, body) })
	}
}

func (rule ExhaustedRule) matches(status int, body []byte) bool {
	if status < http.StatusBadRequest || rule.Status != 0 && rule.Status != status {
		return false
	}
	return rule.Number == 0 || slices.Contains(errorNumbers(body), rule.Number)
}

// errorNumbers finds the numbers in the vendor's error envelope, with or
// without its outer member. It reads what it can: one odd member must not hide
// the number beside it, nor must quotes around it.
func errorNumbers(body []byte) []int {
	type details struct {
		Details []struct {
			Number json.RawMessage `json:"number"`
		} `json:"details"`
	}
	var envelope struct {
		Error details `json:"error"`
		details
	}
	// Members of another type than expected are passed over, with an error.
	_ = json.Unmarshal(body, &envelope)
	var numbers []int
	for _, d := range append(envelope.Error.Details, envelope.Details...) {
		if n, err := strconv.Atoi(strings.Trim(string(d.Number), `"`)); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
