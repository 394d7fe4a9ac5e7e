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
type UnknownOperationError struct {
	Method string
	// Path is as on the wire.
	Path string
	// Like is a known operation that the path may be another spelling of, so that
	// no other rule may price it. Nil for a path that is like none.
	Like *Operation
}

func (e *UnknownOperationError) Error() string {
	rule := Operation{Match: e.Method + " " + e.Path, Cost: 1}
	like := ""
	if e.Like != nil {
		rule.Cost, rule.Items = e.Like.Cost, e.Like.Items
		like = fmt.Sprintf(": it may be another spelling of %s; call that", e.Like.Match)
	}
	items := ""
	if rule.Items != "" {
		items = ", items: " + rule.Items
	}
	return fmt.Sprintf("no operation rule knows what %s %s costs%s%s add to hsharness.yaml: operations: [ { match: %q, cost: %d%s } ]",
		e.Method, e.Path, like, map[bool]string{true: ", or", false: ";"}[e.Like != nil], rule.Match, rule.Cost, items)
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

// Price looks a request up by its path as on the wire. The error is an
// [*UnknownOperationError] or an [*UncountableError]. A trailing slash is not
// looked at, because clients of the managed API send one and the API takes both.
//
// A path that the service might read as another one is unknown: one with empty or
// dot segments, one that a wildcard would have to take an escape or a parameter
// for, and one that may be another spelling of an operation with another rule.
func (ops Operations) Price(method, escapedPath string, body []byte) (Price, error) {
	op, unknown := ops.rule(method, escapedPath)
	if unknown != nil {
		return Price{}, unknown
	}
	return op.price(body)
}

// rule is the one that a request has, whatever is in its body; the error is nil where there
// is one.
func (ops Operations) rule(method, escapedPath string) (Operation, *UnknownOperationError) {
	unknown := func(like *Operation) *UnknownOperationError { return &UnknownOperationError{method, escapedPath, like} }
	if ambiguous(escapedPath) {
		return Operation{}, unknown(nil)
	}
	loose := loosened(escapedPath)
	for i, op := range ops {
		if !op.matches(method, escapedPath) {
			continue
		}
		for _, earlier := range ops[:i] {
			if earlier.resembled(method, escapedPath, loose, op) {
				return Operation{}, unknown(&earlier)
			}
		}
		if like, ok := endpoint(method, escapedPath, loose); ok && op.wild() {
			return Operation{}, unknown(ops.spelled(like))
		}
		return op, nil
	}
	return Operation{}, unknown(ops.like(method, loose))
}

// price is what a request costs that the rule is for. The error is an
// [*UncountableError].
func (op Operation) price(body []byte) (Price, error) {
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

// ambiguous tells whether a path has segments that servers drop or resolve,
// some of them, before they look who answers it.
func ambiguous(escapedPath string) bool {
	return escapedPath != "/" && path.Clean("/"+escapedPath) != strings.TrimSuffix(escapedPath, "/") || strings.Contains(escapedPath, `\`)
}

func (op Operation) matches(method, escapedPath string) bool {
	m, pattern, ok := strings.Cut(op.Match, " ")
	return ok && m == method && matchPath(whole(pattern), whole(escapedPath))
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
	if first == "**" && strings.Contains(rest.text, "**") {
		return matchWide(pattern, p)
	}
	if first == "**" {
		for {
			if matchPath(rest, p) {
				return true
			}
			if p.none {
				return false
			}
			var skipped string
			if skipped, p = p.next(); !plain(skipped) {
				return false
			}
		}
	}
	if p.none {
		return false
	}
	segment, tail := p.next()
	return matchSegment(first, segment) && matchPath(rest, tail)
}

// matchWide is matchPath for a pattern with several **, which would be tried against each
// other: it goes through the path once, and keeps in mind how much of the pattern may
// match what came so far.
func matchWide(pattern, p remainder) bool {
	parts := strings.Split(pattern.text, "/")
	here, next := make([]bool, len(parts)+1), make([]bool, len(parts)+1)
	skip := func() {
		for i, part := range parts {
			here[i+1] = here[i+1] || here[i] && part == "**"
		}
	}
	here[0] = true
	skip()
	for !p.none {
		var segment string
		segment, p = p.next()
		clear(next)
		for i, part := range parts {
			switch {
			case !here[i]:
			case part == "**":
				next[i] = next[i] || plain(segment)
			case matchSegment(part, segment):
				next[i+1] = true
			}
		}
		here, next = next, here
		skip()
	}
	return here[len(parts)]
}

// matchSegment matches one segment. A wildcard takes only what every server reads
// alike; anything else must be spelled out in the rule.
func matchSegment(pattern, segment string) bool {
	if pattern == segment {
		return true
	}
	ok, err := path.Match(pattern, segment)
	return err == nil && ok && plain(segment)
}

// How many rules a list may have, each of which is compared with all before it, and how
// long a match and a pointer may be, in bytes.
const (
	maxOperations = 1000
	maxMatch      = 1000
)

// Validate says what is wrong with the list: a rule that can't be read, or one
// that an earlier rule covers and that so would never be used.
func (ops Operations) Validate() error {
	if err := ops.tooMany(); err != nil {
		return err
	}
	for i := range ops {
		if err := ops[:i+1].ValidateLast(); err != nil {
			return fmt.Errorf("operation %d: %w", i+1, err)
		}
	}
	return nil
}

func (ops Operations) tooMany() error {
	if len(ops) > maxOperations {
		return fmt.Errorf("%d operations are more than %d: let a wildcard stand for those that cost the same", len(ops), maxOperations)
	}
	return nil
}

// ValidateLast says what is wrong with the last of a list whose others are right.
func (ops Operations) ValidateLast() error {
	if err := ops.tooMany(); err != nil {
		return err
	}
	last := len(ops) - 1
	if err := ops[last].validate(); err != nil {
		return err
	}
	for _, earlier := range ops[:last] {
		if earlier.covers(ops[last]) {
			return fmt.Errorf("%q is never reached, %q before it covers it", ops[last].Match, earlier.Match)
		}
	}
	return nil
}

// maxCost keeps the price of the longest body far from overflow.
const maxCost = 1_000_000

func (op Operation) validate() error {
	method, pattern, ok := strings.Cut(op.Match, " ")
	if len(op.Match) > maxMatch || len(op.Items) > maxMatch {
		return fmt.Errorf("match %.50q: it and items may have %d bytes each", op.Match, maxMatch)
	}
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
