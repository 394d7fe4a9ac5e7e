package guard

import (
	"fmt"
	"path"
	"strings"
)

// Operation says what requests of one kind cost.
type Operation struct {
	// Match is a method and a path pattern, "POST /hscode/hints". In the
	// pattern * stands for any text within one segment and ** for any number
	// of segments, none included.
	Match string `json:"match" yaml:"match"`
	// Cost is the price of one request in units. With Items it is the price of
	// one item. Zero is free.
	Cost int `json:"cost" yaml:"cost"`
	// Items is a JSON pointer (RFC 6901) to the array in the request body
	// whose items are paid for one by one. Empty means that a request has one
	// price.
	Items string `json:"items,omitempty" yaml:"items,omitempty"`
}

// Operations is the price list: the first match wins.
type Operations []Operation

// BuiltinOperations is what is known of the service's prices. The paths are
// verified by the vendor's endpoint index; what the service counts is public
// nowhere, so every price is assumed: a request that classifies costs one unit,
// a batch one unit an item, reading an answer back nothing.
func BuiltinOperations() Operations {
	return Operations{
		{Match: "POST /hscode/classify_from_hs6", Cost: 1, Items: "/items"},
		{Match: "POST /hscode*/**", Cost: 1},
		{Match: "POST /api/v2/companies/*/classifications/hs", Cost: 1},
		{Match: "GET /api/v2/companies/*/classifications/hs/*", Cost: 0},
	}
}

// Price is what one request costs, and by which rule.
type Price struct {
	Units int
	// Operation is the Match of the rule.
	Operation string
}

// UnknownOperationError says that no rule knows a request.
type UnknownOperationError struct{ Method, Path string }

func (e *UnknownOperationError) Error() string {
	return fmt.Sprintf("no operation rule knows what %s %s costs; add to hsharness.yaml: operations: [ { match: %q, cost: 1 } ]",
		e.Method, e.Path, e.Method+" "+e.Path)
}

// UncountableError says that a body whose items cost a unit each could not be
// counted.
type UncountableError struct {
	Operation Operation
	Reason    string
}

func (e *UncountableError) Error() string {
	return fmt.Sprintf("%s costs %d for each item of %s, but %s", e.Operation.Match, e.Operation.Cost, e.Operation.Items, e.Reason)
}

// Price looks a request up. The error is an [*UnknownOperationError] or an
// [*UncountableError]. A trailing slash is not looked at, because clients of
// the managed API send one and the API takes both.
//
// A path that the service might read as another one is unknown: one with empty
// or dot segments, or one that an earlier rule knows in other letters.
func (ops Operations) Price(method, urlPath string, body []byte) (Price, error) {
	if ambiguous(urlPath) {
		return Price{}, &UnknownOperationError{method, urlPath}
	}
	lowerPath := strings.ToLower(urlPath)
	for _, op := range ops {
		if !op.matches(method, urlPath) {
			if lower := strings.ToLower(op.Match); (lowerPath != urlPath || !sameLetters(op.Match, lower, method)) &&
				(Operation{Match: lower}).matches(strings.ToLower(method), lowerPath) {
				return Price{}, &UnknownOperationError{method, urlPath}
			}
			continue
		}
		units := op.Cost
		if op.Items != "" {
			n, reason := countItems(body, op.Items)
			if reason != "" {
				return Price{}, &UncountableError{op, reason}
			}
			// A batch of nothing still goes out as one request.
			units *= max(1, n)
		}
		return Price{units, op.Match}, nil
	}
	return Price{}, &UnknownOperationError{method, urlPath}
}

// ambiguous tells whether a path has segments that servers drop or resolve,
// some of them, before they look who answers it.
func ambiguous(urlPath string) bool {
	return urlPath != "/" && path.Clean("/"+urlPath) != strings.TrimSuffix(urlPath, "/") || strings.Contains(urlPath, `\`)
}

func (op Operation) matches(method, urlPath string) bool {
	m, pattern, ok := strings.Cut(op.Match, " ")
	return ok && m == method && matchPath(whole(pattern), whole(urlPath))
}

// sameLetters tells whether a rule, given in lower case too, is for a method as
// it is written and has no capitals in its path: then it matches in other
// letters just what it matches in these.
func sameLetters(match, lower, method string) bool {
	m, pattern, _ := strings.Cut(match, " ")
	return m == method && lower[len(m)+1:] == pattern
}

func segments(p string) []string {
	return strings.Split(strings.Trim(p, "/"), "/")
}

// remainder is what is left of a path, segment by segment; of one without
// slashes there is one segment.
type remainder struct {
	text string
	none bool
}

func whole(p string) remainder { return remainder{text: strings.Trim(p, "/")} }

func (r remainder) next() (segment string, rest remainder) {
	segment, tail, more := strings.Cut(r.text, "/")
	return segment, remainder{tail, !more}
}

func matchPath(pattern, p remainder) bool {
	if pattern.none {
		return p.none
	}
	first, rest := pattern.next()
	if first == "**" {
		for {
			if matchPath(rest, p) {
				return true
			}
			if p.none {
				return false
			}
			_, p = p.next()
		}
	}
	if p.none {
		return false
	}
	segment, tail := p.next()
	ok, err := path.Match(first, segment)
	return err == nil && ok && matchPath(rest, tail)
}

// Validate says what is wrong with the list: a rule that can't be read, or one
// that an earlier rule covers and that so would never be used.
func (ops Operations) Validate() error {
	for i, op := range ops {
		if err := op.validate(); err != nil {
			return fmt.Errorf("operation %d: %w", i+1, err)
		}
		for _, earlier := range ops[:i] {
			if earlier.covers(op) {
				return fmt.Errorf("operation %d: %q is never reached, %q before it covers it", i+1, op.Match, earlier.Match)
			}
		}
	}
	return nil
}

// maxCost keeps the price of the longest body far from overflow.
const maxCost = 1_000_000

func (op Operation) validate() error {
	method, pattern, ok := strings.Cut(op.Match, " ")
	if !ok || method == "" || method != strings.ToUpper(method) || !strings.HasPrefix(pattern, "/") {
		return fmt.Errorf("match %q is not a method and a path such as \"POST /hscode/hints\"", op.Match)
	}
	for _, seg := range segments(pattern) {
		if _, err := path.Match(seg, ""); err != nil {
			return fmt.Errorf("match %q: %q is no pattern", op.Match, seg)
		}
	}
	if op.Cost < 0 || op.Cost > maxCost {
		return fmt.Errorf("%s: cost %d is negative or more than %d", op.Match, op.Cost, maxCost)
	}
	if op.Items != "" && !strings.HasPrefix(op.Items, "/") {
		return fmt.Errorf("%s: items %q is no JSON pointer such as /items", op.Match, op.Items)
	}
	return nil
}

// covers tells whether every request that other matches is matched by op. It
// treats other's wildcards as plain text, which is exact for ** and for rules
// whose segments are either plain or all wildcard.
func (op Operation) covers(other Operation) bool {
	method, pattern, _ := strings.Cut(other.Match, " ")
	return op.matches(method, pattern)
}
