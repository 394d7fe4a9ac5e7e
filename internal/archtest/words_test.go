package archtest

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// words are those that a user meets in messages, in help texts and in the docs.
const words = `environment sandbox stand-in allowance unit floor ledger journal entry high-water mark
suite run hold spend settle unknown refund bill guard mode ceiling client cap dummy credential gateway
gateway key allotment recording request key take evidence pending miss quarantine emergency copy drift scenario case step`

// slang is what we said once for words that everybody knows.
var slang = regexp.MustCompile(`(?i)\b(guests?|faces?|cassettes?|doors?|witness(es)?|portion)\b`)

// TestConceptsDefinesEveryWord wants one row of docs/concepts.md for each word, none
// for another, and no slang in any page.
func TestConceptsDefinesEveryWord(t *testing.T) {
	t.Parallel()
	tree := os.DirFS("../..")
	page, err := fs.ReadFile(tree, "docs/concepts.md")
	if err != nil {
		t.Fatal(err)
	}
	rest := " " + strings.Join(strings.Fields(words), " ") + " "
	for _, m := range regexp.MustCompile(`(?m)^\| \*\*([^*]+)\*\* \|`).FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(rest, " "+m[1]+" ") {
			t.Errorf("docs/concepts.md defines %q, which is there twice or no word of the list", m[1])
		}
		rest = strings.Replace(rest, " "+m[1]+" ", " ", 1)
	}
	if rest != " " {
		t.Errorf("docs/concepts.md does not define:%s", rest)
	}

	pages, err := fs.Glob(tree, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(pages, "README.md") {
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if found := slang.FindString(line); found != "" {
				t.Errorf("%s:%d: %q is our own word: say what everybody says", name, i+1, found)
			}
		}
	}
}
