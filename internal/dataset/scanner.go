package dataset

import (
	"encoding/json"
	"strings"
)

// blank is what JSON takes for white space, and maxDepth how deep a value may be nested.
const (
	blank    = " \t\r\n"
	maxDepth = 100
)

// scanner reads JSON (RFC 8259) in one go, and knows where each value begins. What it
// returns shares the bytes of the file. After something that it can't read it stops.
type scanner struct {
	d          *reading
	begin, end int // what it reads of the data
	at         int
	depth      int
	stop       bool
	full       bool // the file has too much: no further line is looked at
}

// space goes on to what is no white space, and says where that is.
func (s *scanner) space() int {
	for s.at < s.end && strings.IndexByte(blank, s.d.data[s.at]) >= 0 {
		s.at++
	}
	return s.at
}

// next is the next byte, 0 at the end.
func (s *scanner) next() byte {
	if s.at >= s.end {
		return 0
	}
	return s.d.data[s.at]
}

// bad stops where no JSON is.
func (s *scanner) bad() {
	if !s.stop {
		s.stop = true
		s.d.syntax(s.begin, s.d.data[s.begin:s.end])
	}
}

// finish wants nothing more to come.
func (s *scanner) finish() {
	if s.space(); s.at < s.end {
		s.bad()
	}
}

// value reads one value: nil, bool, string, json.Number, []any or map[string]any.
func (s *scanner) value() any {
	begin := s.space()
	if s.d.cells++; s.d.cells > s.d.limits.Cells && !s.stop {
		s.stop, s.full = true, true
		s.d.tooMany(begin)
	}
	if s.stop {
		return nil
	}
	switch c := s.next(); {
	case c == '[':
		return s.array()
	case c == '{':
		return s.object()
	case c == '"':
		return s.str()
	case c == 't' && s.word("true"):
		return true
	case c == 'f' && s.word("false"):
		return false
	case c == 'n' && s.word("null"):
		return nil
	case s.number():
		return json.Number(s.d.data[begin:s.at])
	}
	s.bad()
	return nil
}

// nested reads what is one level deeper.
func (s *scanner) nested(read func()) {
	if s.depth++; s.depth > maxDepth {
		s.stop = true
		s.d.errorf(s.at, "the value is nested more than %d deep, and no more is read", maxDepth)
		return
	}
	read()
	s.depth--
}

func (s *scanner) array() any {
	out := []any{}
	s.nested(func() { s.items(func() { out = append(out, s.value()) }) })
	return out
}

func (s *scanner) object() any {
	out := map[string]any{}
	s.nested(func() {
		s.members(func(name string, at int) {
			if _, twice := out[name]; twice {
				s.d.errorf(at, "%q is there twice in an object", name)
			}
			out[name] = s.value()
		})
	})
	return out
}

// items goes through an array; each has to read an item.
func (s *scanner) items(each func()) {
	s.at++
	if s.space(); s.next() == ']' {
		s.at++
		return
	}
	for !s.stop {
		s.space()
		each()
		if s.after(']') {
			return
		}
	}
}

// members goes through an object; each has to read the value of a member.
func (s *scanner) members(each func(name string, at int)) {
	s.at++
	if s.space(); s.next() == '}' {
		s.at++
		return
	}
	for !s.stop {
		at := s.space()
		if s.next() != '"' {
			s.bad()
			return
		}
		name := s.str()
		if s.space(); s.next() != ':' {
			s.bad()
			return
		}
		s.at++
		each(name, at)
		if s.after('}') {
			return
		}
	}
}

// after tells whether an array or object ends here, and wants a comma if not.
func (s *scanner) after(closes byte) bool {
	if s.stop {
		return true
	}
	s.space()
	c := s.next()
	if c != ',' && c != closes {
		s.bad()
		return true
	}
	s.at++
	return c == closes
}

// str reads a text.
func (s *scanner) str() string {
	begin, escaped := s.at, false
	for s.at++; s.at < s.end; s.at++ {
		switch c := s.d.data[s.at]; {
		case c == '"':
			s.at++
			if text := s.d.data[begin:s.at]; escaped {
				return s.unescaped(text)
			}
			return s.d.data[begin+1 : s.at-1]
		case c == '\\':
			escaped = true
			s.at++ // a quote after it ends nothing
		case c < ' ':
			s.bad()
			return ""
		}
	}
	s.bad()
	return ""
}

// unescaped is a quoted text with escapes in it.
func (s *scanner) unescaped(quoted string) (text string) {
	if json.Unmarshal([]byte(quoted), &text) != nil {
		s.bad()
	}
	return text
}

func (s *scanner) word(word string) bool {
	ok := strings.HasPrefix(s.d.data[s.at:s.end], word)
	if ok {
		s.at += len(word)
	}
	return ok
}

// number goes over a number (RFC 8259 §6), and tells whether there is one.
func (s *scanner) number() bool {
	digits := func() bool {
		begin := s.at
		for c := s.next(); '0' <= c && c <= '9'; c = s.next() {
			s.at++
		}
		return s.at > begin
	}
	if s.next() == '-' {
		s.at++
	}
	if s.next() == '0' {
		s.at++
	} else if !digits() {
		return false
	}
	if s.next() == '.' {
		if s.at++; !digits() {
			return false
		}
	}
	if c := s.next(); c == 'e' || c == 'E' {
		s.at++
		if c := s.next(); c == '+' || c == '-' {
			s.at++
		}
		return digits()
	}
	return true
}
