// Package pattern has regular expressions that are compiled when they are first used: to
// compile those of all packages took a command longer than to answer. It touches
// nothing.
package pattern

import (
	"errors"
	"regexp"
	"sync"
)

// made are all patterns, for [Check].
var made []*Pattern

// Pattern is a regular expression in the syntax of package regexp. It is safe for
// concurrent use, and panics at its first use where it is none; [Check] finds those.
type Pattern struct {
	text string
	once sync.Once
	is   *regexp.Regexp
}

// New makes a pattern. It is for variables of packages alone.
func New(text string) *Pattern {
	p := &Pattern{text: text}
	made = append(made, p)
	return p
}

// Check tells which patterns of this program are no regular expressions. It is for tests.
func Check() error {
	var errs []error
	for _, p := range made {
		_, err := regexp.Compile(p.text)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// String is the text of the expression.
func (p *Pattern) String() string { return p.text }

// Regexp is the compiled expression.
func (p *Pattern) Regexp() *regexp.Regexp {
	p.once.Do(func() { p.is = regexp.MustCompile(p.text) })
	return p.is
}

// MatchString is that of [regexp.Regexp].
func (p *Pattern) MatchString(text string) bool { return p.Regexp().MatchString(text) }

// FindString is that of [regexp.Regexp].
func (p *Pattern) FindString(text string) string { return p.Regexp().FindString(text) }

// FindStringSubmatch is that of [regexp.Regexp].
func (p *Pattern) FindStringSubmatch(text string) []string {
	return p.Regexp().FindStringSubmatch(text)
}

// FindAllStringSubmatchIndex is that of [regexp.Regexp].
func (p *Pattern) FindAllStringSubmatchIndex(text string, n int) [][]int {
	return p.Regexp().FindAllStringSubmatchIndex(text, n)
}

// ReplaceAllString is that of [regexp.Regexp].
func (p *Pattern) ReplaceAllString(text, by string) string {
	return p.Regexp().ReplaceAllString(text, by)
}
