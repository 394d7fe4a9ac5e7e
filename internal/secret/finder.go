package secret

import (
	"errors"
	"slices"
)

// Finder finds some secrets, and tokens of any kind if it was told to. The zero
// Finder and a nil one find nothing. It is immutable but for [Finder.Wipe], and
// so safe for concurrent use. Make one for each set of secrets and keep it.
type Finder struct {
	needles []*needle
	tokens  bool
	// by has the needles that each byte can begin, the longest first.
	by [256][]*needle
	// pairs has the two bytes that something can begin with, escaped or not, as
	// a set: most of a text is ruled out by it.
	pairs [1 << 16 / 64]uint64
}

// NewFinder prepares a search. The error says which secrets can't be searched
// for, all of them at once, and never shows one.
func NewFinder(secrets ...Secret) (*Finder, error) {
	var all []*needle
	var errs []error
	for _, s := range secrets {
		value, err := s.plain()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, needles(s.Name, value)...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return newFinder(all, false), nil
}

func newFinder(all []*needle, tokens bool) *Finder {
	f := &Finder{needles: all, tokens: tokens}
	longest(f.needles)
	for _, n := range f.needles {
		second := append(n.begins(1), escapeBytes...)
		for _, c := range n.begins(0) {
			f.by[c] = append(f.by[c], n)
			f.mayBegin(c, second)
		}
	}
	if len(all) > 0 {
		for _, c := range escapeBytes {
			f.mayBegin(c, everyByte)
		}
	}
	if tokens {
		f.mayBegin('e', []byte("y"))
		f.mayBegin('b', []byte("eE"))
		f.mayBegin('B', []byte("eE"))
	}
	return f
}

var everyByte, escapeBytes = func() (every, escapes []byte) {
	for c, yes := range opens {
		every = append(every, byte(c))
		if yes {
			escapes = append(escapes, byte(c))
		}
	}
	return every, escapes
}()

func (f *Finder) mayBegin(first byte, second []byte) {
	for _, c := range second {
		pair := uint(first)<<8 | uint(c)
		f.pairs[pair/64] |= 1 << (pair % 64)
	}
}

// begins tells whether something may begin at t[i].
func (f *Finder) begins(t []byte, i int) bool {
	if i+1 >= len(t) {
		return false
	}
	pair := uint(t[i])<<8 | uint(t[i+1])
	return f.pairs[pair/64]&(1<<(pair%64)) != 0
}

// Tokens is a finder that finds tokens too that nobody named: JSON Web Tokens,
// as jwt, and what follows Bearer, as bearer.
func (f *Finder) Tokens() *Finder { return newFinder(f.own(), true) }

// With is a finder of what either finds.
func (f *Finder) With(other *Finder) *Finder {
	return newFinder(slices.Concat(f.own(), other.own()), f != nil && f.tokens || other != nil && other.tokens)
}

func (f *Finder) own() []*needle {
	if f == nil {
		return nil
	}
	return slices.Clone(f.needles)
}

// idle tells that there is nothing to find.
func (f *Finder) idle() bool { return f == nil || len(f.needles) == 0 && !f.tokens }

// Wipe overwrites what the finder and those that were made of it know of the
// secrets. They find nothing useful after it, and nobody may be using them.
func (f *Finder) Wipe() {
	for _, n := range f.own() {
		clear(n.text)
		n.mark = ""
	}
}

// hit is a secret in a text.
type hit struct {
	name, mark string
	// before is how much of the text at the hit is no secret, such as "Bearer ".
	before int
	// needle is that of a secret that was given, nil for a token.
	needle *needle
	// end is where it ends in the text.
	end int
}

// at finds the secret that begins at t[i] of what is gone through. Of several it is the
// longest.
func (f *Finder) at(s *scan, i int) (hit, bool) {
	if h, ok := f.given(s.t, i); ok || !f.tokens {
		return h, ok
	}
	return f.token(s, i)
}

// given finds one that was given.
func (f *Finder) given(t []byte, i int) (hit, bool) {
	rest := t[i:]
	candidates := f.by[rest[0]]
	if opens[rest[0]] {
		if u, _ := escaped(rest); len(u) > 0 && len(f.by[u[0]]) > 0 {
			candidates = slices.Concat(candidates, f.by[u[0]])
			longest(candidates)
		}
	}
	for _, n := range candidates {
		if used := n.spelled(rest); used > 0 {
			return hit{name: n.name, mark: n.mark, needle: n, end: i + used}, true
		}
	}
	return hit{}, false
}

// token finds one that nobody named.
func (f *Finder) token(s *scan, i int) (hit, bool) {
	if end := s.jwt(i); end > 0 {
		return hit{name: "jwt", mark: mark("jwt", string(s.t[i:end]), tokenDigits), end: end}, true
	}
	from, end := s.bearer(i)
	if end == 0 {
		return hit{}, false
	}
	// A token that is known by another name keeps that name.
	if _, known := f.given(s.t, from); known || s.jwt(from) > 0 {
		return hit{}, false
	}
	return hit{name: "bearer", mark: mark("bearer", string(s.t[from:end]), tokenDigits), before: from - i, end: end}, true
}

// direct yields what stands in t in a spelling that can be replaced, in order.
func (f *Finder) direct(t []byte) func(yield func(from int, h hit) bool) {
	return func(yield func(int, hit) bool) {
		s := scan{t: t}
		for i := 0; i < len(t); {
			if m := markAt(t, i); m != nil {
				i += len(m[0]) // it says that there was one
				continue
			}
			if !f.begins(t, i) {
				i++
				continue
			}
			h, ok := f.at(&s, i)
			if !ok {
				i++
				continue
			}
			if !yield(i, h) {
				return
			}
			i = h.end
		}
	}
}
