package strict

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// maxPaths is how many bytes the paths of all values of a file may have: the library makes
// one for each, of the keys above it. A key of 100 KB above 30,000 values would be 3 GB.
const maxPaths = 64 << 20

// outline follows what the library's parser will see: an object that is not in braces is
// keys that begin in one column, each of which it reads within the one before.
type outline struct {
	most                    int       // of each that is counted
	open                    []bracket // what stands in none, and those that are open
	first                   *token.Token
	before                  *token.Token
	key                     *token.Token // the last one
	begin                   *token.Token // of it: what stands before it in its line, such as an anchor
	empty, documents, paths int
}

// bracket is what stands in brackets, or in none.
type bracket struct {
	columns []column
	path    int  // bytes of the keys above it
	braces  bool // an object, where a key may stand without a colon
	colon   bool // there was one behind the last comma
}

// column is where keys begin.
type column struct {
	at, keys int
	path     int // bytes of the last key, and of those above it
}

// down is how long the path of a value is that stands here.
func (b *bracket) down() int {
	if n := len(b.columns); n > 0 {
		return b.columns[n-1].path
	}
	return b.path
}

// back forgets the columns that are further to the right.
func (b *bracket) back(at int) {
	for n := len(b.columns); n > 0 && b.columns[n-1].at > at; n-- {
		b.columns = b.columns[:n-1]
	}
}

// take looks at the next token, comments left out. It tells what there is too much of, or "".
func (o *outline) take(t *token.Token) string {
	if o.first == nil || o.first.Position.Line != t.Position.Line {
		o.first = t
	}
	if o.leftEmpty(t) {
		o.empty++
	}
	in := &o.open[len(o.open)-1]
	keys := 0
	switch t.Type {
	case token.SequenceEntryType:
		in.back(t.Position.Column)
		o.first = nil
	case token.MappingStartType, token.SequenceStartType:
		o.open = append(o.open, bracket{path: in.down(), braces: t.Type == token.MappingStartType})
		o.first = nil
	case token.MappingEndType, token.SequenceEndType:
		o.open = o.open[:max(len(o.open)-1, 1)]
		o.first = nil
	case token.CollectEntryType:
		in.columns, in.colon = nil, false
		o.first = nil
	case token.MappingKeyType:
		o.key, o.begin = t, t
		keys = o.named(in, t.Position.Column, t.Next)
	case token.MappingValueType:
		in.colon = true
		if o.first.Type != token.MappingKeyType && o.first != t { // otherwise the key was counted
			o.key, o.begin = o.before, o.first
			keys = o.named(in, o.first.Position.Column, o.before)
		}
	case token.DocumentHeaderType, token.DocumentEndType:
		o.documents++
		o.open, o.key, o.begin = make([]bracket, 1), nil, nil // its keys are those of another object
	}
	o.before = t
	o.paths += o.open[len(o.open)-1].down()
	switch {
	case keys > o.most:
		return fmt.Sprintf("more than %d keys of one object", o.most)
	case o.empty > o.most:
		return fmt.Sprintf("more than %d values are left empty: write null, or leave their keys out", o.most)
	case o.documents > o.most:
		return fmt.Sprintf("more than %d documents in one file", o.most)
	case o.paths > maxPaths:
		return fmt.Sprintf("the keys above each value have more than %d MB together: write shorter ones", maxPaths>>20)
	}
	return ""
}

// named counts a key that begins in a column, and returns how many do.
func (o *outline) named(in *bracket, at int, key *token.Token) int {
	in.back(at)
	n := len(in.columns)
	if n == 0 || in.columns[n-1].at < at {
		in.columns = append(in.columns, column{at: at, path: in.down()})
		n++
	}
	c := &in.columns[n-1]
	above := bracket{columns: in.columns[:n-1], path: in.path}
	c.keys, c.path = c.keys+1, above.down()
	if key != nil {
		c.path += len(key.Value)
	}
	return c.keys
}

// leftEmpty tells whether what comes before t has no value, and t is none: the library
// puts one in, for which it moves all that follows.
func (o *outline) leftEmpty(t *token.Token) bool {
	in := o.open[len(o.open)-1]
	if o.before == nil {
		return false
	}
	at := o.before.Position
	switch o.before.Type {
	case token.MappingStartType, token.CollectEntryType: // nothing stands here at all
		return false
	case token.MappingKeyType:
		return true // it is refused wherever it stands
	case token.MappingValueType:
		if o.begin != nil {
			at = o.begin.Position
		}
	case token.SequenceEntryType:
	default:
		return in.braces && !in.colon && (t.Type == token.CollectEntryType || t.Type == token.MappingEndType)
	}
	switch t.Type {
	case token.CollectEntryType, token.MappingEndType, token.SequenceEndType:
		return true
	case token.SequenceEntryType:
		if o.before.Type == token.MappingValueType && t.Position.Column == at.Column {
			return false // the items of a key's list may begin below it
		}
	}
	return t.Position.Line > at.Line && t.Position.Column <= at.Column
}
