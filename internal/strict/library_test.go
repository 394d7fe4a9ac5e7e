package strict_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/strict"
)

// What the library reads is read up to the limits, however it is written, and nothing above
// them: what is counted before it reads is what it finds.
func TestParseTakesWhatTheLibraryDoes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "\n", "# only\n", "---\n", "...\n", "\ufeffa: 1\n", "a", "a: 1", "\t\n", "a:\t1\n", "a: 1\t# b: c\n",
		"a: &x { b: 1, c: 2 }\nd:\n  <<: *x\n  e: 3\n", "a: &x\n  b: 1\nc: *x\nd: &y [ 1 ]\n", "<<: [ { a: 1 }, { b: 2 } ]\n",
		"a: |\n  b: 1\n  c: 2\nd: >-\n  e: f\n\n  g: h\ni: |2\n    j: k\n", "a: |\r\n  b: 1\r\n  c: 2\r\nd: 1\r\n",
		"a: 'b: c'\n'd: e': f\n\"g: h\": i\n", "a: \"b\\\n  c: d\"\ne: f\n", "a: b\n  c d\n  e\nf: 1\n", "🍎: 🍏\n漢: 字\n'é': è\n",
		"a: # b\n  # c: d\n  e: 1 # f: g\n  # h\n  i: 2\n# j: k\n", "- a: 1\n  # b\n  c: 2\n\n-\n  d: 1\n  e: 2\n- - f: 1\n    g: 2\n  - h: 1\n",
		"a:\n- b: 1\n  c: 2\n- d: 1\ne:\n  - f\n  -   g: 1\n      h: 2\n", "? a\n: b\n? c\n: d\n", "? [ a, b ]\n: c\n", "? - a\n  - b\n: c\n",
		"{ a: 1, b: [ c, d: e ], 'f':1, \"g\":[] }\n", "{ a: 1,\n  b: { c: 2,\n d: 3 }, }\n", "[ a: 1, b: 2, { c: 3 } ]\n", "{ a, b, ? c : d }\n",
		"a: !!map\n  b: 1\n  c: 2\n!!str d: 1\n", "a: !x [ 1 ]\nb: !y { c: 1 }\n", "%YAML 1.2\n---\na: 1\n", "a: 1\n---\nb: 1\n---\nc: 1\nd: 2\n",
		"a: 1\n...\nb: 1\n", "--- { a: 1 }\n--- |\n b: 1\n--- # c\nd: 1\n", "a:\nb:\n  c:\n  d: ~\n", "- \n- a:\n-\n  - \n", "- &a b:\n   - c\n- !t d:\n   - e\n- &f g:\n   - h\n", "http://a:80/b: c\n", "a: b:c\n", "a: 12:30:45\n", "-: 1\n", "a : 1\nb  :\n  c : 2\n",
	} {
		likeTheLibrary(t, text)
	}
	rapid.Check(t, func(rt *rapid.T) { likeTheLibrary(rt, written(rt)) })
}

func likeTheLibrary(t require.TestingT, text string) {
	read, err := library(text)
	if err != nil {
		return
	}
	most := found{keys: 1}
	for _, d := range read.Docs {
		if d.Body != nil {
			ast.Walk(&most, d.Body)
		}
	}
	markers := 0
	for _, one := range lexer.Tokenize(text) {
		switch one.Type {
		case token.DocumentHeaderType, token.DocumentEndType:
			markers++
		case token.MappingKeyType: // a key behind a question mark, which no file of ours may have
			most.empty++
		}
	}
	ours, err := strict.Parse(text, max(most.keys, most.empty, markers))
	require.NoError(t, err, "%q", text)
	require.Equal(t, read.String(), ours.String())
	if most.keys > 1 {
		_, err = strict.Parse(text, most.keys-1)
		require.Error(t, err, "%q", text)
	}
}

// library is how it reads by itself. It is known to panic on some inputs that are no YAML.
func library(text string) (f *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
}

// found is how many keys the largest object has that is not in braces, and how many values
// may be left empty.
type found struct{ keys, empty int }

func (f *found) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle {
			f.keys = max(f.keys, len(n.Values))
		}
	case *ast.NullNode:
		if tk := n.GetToken(); tk == nil || tk.Type == token.ImplicitNullType {
			f.empty++
		}
	}
	return f
}

// written is some YAML: a value in lines, in some style, with comments anywhere.
func written(rt *rapid.T) string {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(rt, "of") }
	few := func(least, most int) int { return rapid.IntRange(least, most).Draw(rt, "n") }
	key := func(i int) string {
		return fmt.Sprintf(pick("k%d", "'k: %d'", `"k\t%d"`, "k %d", "é%d", "🍎%d", "&a k%d", "!!str k%d", "-k%d", "k#%d"), i)
	}
	scalar := func() string {
		return pick("1", "a", "a b", "'a: b'", `"a # b"`, "~", "null", "", "[]", "{}", "[ a, b ]", "{ a: 1, b: [ c, { d: 2 } ] }", "[ a: 1, b: 2 ]", "*a", "&a b", "!t a", "12:30", "a:b", "漢字", "🍏")
	}
	comment := func() string { return pick("", "", "", " # a: b", "\t# c") }
	var value func(indent string, depth int) string
	value = func(indent string, depth int) string { // what stands behind a key or a dash, with its end
		if depth == 0 {
			return pick(" ", "  ", "\t") + scalar() + comment() + "\n"
		}
		var b strings.Builder
		between := func() { b.WriteString(pick("", "", "", "\n", "# d: e\n", indent+"# f\n")) }
		switch few(0, 5) {
		case 0:
			return value(indent, 0)
		case 1: // a text in lines
			b.WriteString(pick(" |\n", " >\n", " |-\n", " >+\n"))
			for range few(1, 3) {
				b.WriteString(indent + " " + pick("a: b", "- c", "# d", "[ e", "f") + "\n")
			}
		case 2, 3: // an object
			b.WriteString(comment() + "\n")
			for i := range few(1, 5) {
				between()
				b.WriteString(indent + " " + key(i) + pick(":", " :") + value(indent+pick(" ", "   "), depth-1))
			}
		default: // a list
			b.WriteString(comment() + "\n")
			for range few(1, 4) {
				between()
				switch {
				case rapid.Bool().Draw(rt, "an object in its line"):
					b.WriteString(indent + " - " + key(0) + ":" + value(indent+"   ", depth-1))
					for i := range few(0, 3) {
						b.WriteString(indent + "   " + key(i+1) + ":" + value(indent+"   ", depth-1))
					}
				default:
					b.WriteString(indent + " -" + value(indent+"  ", depth-1))
				}
			}
		}
		return b.String()
	}
	var b strings.Builder
	b.WriteString(pick("", "", "\ufeff", "# a: b\n", "---\n"))
	for i := range few(1, 3) {
		if i > 0 {
			b.WriteString(pick("---\n", "...\n---\n", "--- # a\n"))
		}
		text := "1\n" // behind a document that is empty the library reads nothing
		if one := strings.TrimPrefix(value("", few(0, 3)), "\n"); strings.Trim(one, "\n \t") != "" && !strings.HasPrefix(strings.TrimSpace(one), "#") {
			text = one
		}
		b.WriteString(strings.ReplaceAll("\n"+text, "\n ", "\n")[1:])
	}
	text := b.String()
	if rapid.Bool().Draw(rt, "from Windows") {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}
