package comment

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/recording"
)

// Changes are what became of the recordings between two commits.
type Changes struct {
	// New, Removed and Other count recordings: those that were not there, those that are
	// no more, and those whose answer differs in something else than a code.
	New, Removed, Other int
	// Codes are the codes that changed.
	Codes []Code
}

// Code is a code of a request's answer that became another one.
type Code struct {
	// Request is what was asked, for people, and File the recording, below its folder.
	Request, File string
	// At is the JSON pointer of the code in the answer.
	At      string
	Was, Is string
}

func (c *Changes) none() bool { return c.New+c.Removed+c.Other+len(c.Codes) == 0 }

// Since compares the recordings in a folder with those that a commit has there. Open
// opens a folder of them.
func Since(ctx context.Context, commit, folder string, open func(dir string) (*recording.Store, error)) (*Changes, error) {
	dir, err := os.MkdirTemp("", "hsharness-base-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system clears its folder too
	to := filepath.Join(dir, "recordings")   // what else is the store's goes beside it
	if err := errors.Join(os.Mkdir(to, 0o700), Base(ctx, folder, commit, to)); err != nil {
		return nil, err
	}
	was, err := open(to)
	is, err2 := open(folder)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return Compare(was, is)
}

// Compare compares the recordings of two commits. A file that can't be read is an
// error: it may be one that changed. Those whose answers differ are read once more: of all
// no more is in memory than where each is, and a digest of its answer.
func Compare(was, is *recording.Store) (*Changes, error) {
	old, err := latest(was)
	if err != nil {
		return nil, err
	}
	now, err := latest(is)
	if err != nil {
		return nil, err
	}
	c := &Changes{}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		before, ok := old[key]
		switch {
		case !ok:
			c.New++
		case before.digest != now[key].digest:
			a, err := was.Read(before.file)
			b, err2 := is.Read(now[key].file)
			if err := errors.Join(err, err2); err != nil {
				return nil, err
			}
			c.compare(a, b)
		}
	}
	for key := range old {
		if _, ok := now[key]; !ok {
			c.Removed++
		}
	}
	slices.SortFunc(c.Codes, func(a, b Code) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.At, b.At)) })
	return c, nil
}

// answer is where a recording is, and what tells its answer from another.
type answer struct {
	file   string
	digest [sha256.Size]byte
}

// latest has what answers each request. Emergency copies and the quarantine are this
// machine's, and no change of the request.
func latest(s *recording.Store) (map[string]answer, error) {
	byKey := map[string]answer{}
	var wrong error
	for r := range s.Each(&wrong) {
		if s.Place(r) == recording.Shared && r.Answer() != nil {
			of := r.Answer().Response
			byKey[r.Key] = answer{r.File, sha256.Sum256(fmt.Appendf(nil, "%d %s", of.Status, of.Body))}
		}
	}
	return byKey, wrong
}

func (c *Changes) compare(was, is *recording.Recording) {
	old, now := codes(was.Answer().Response.Body), codes(is.Answer().Response.Body)
	found := false
	for _, at := range slices.Sorted(maps.Keys(old)) {
		if code, ok := now[at]; ok && code != old[at] {
			found = true
			c.Codes = append(c.Codes, Code{asked(is), path.Join(filepath.Base(filepath.Dir(is.File)), filepath.Base(is.File)), at, old[at], code})
		}
	}
	if !found {
		c.Other++
	}
}

// hsCode is how codes are written: 4 to 12 digits, with dots or spaces between them.
var hsCode = pattern.New(`^\d{2}([. ]?\d{2}){1,5}$|^\d{4,12}$`)

// codeName is how members with a code are named: hsCode, hs_code, tariffCode, code.
var codeName = pattern.New(`(?i)(code|heading)s?$`)

// maxPlaces is how many bytes the places of all values of an answer may have: of one name of
// a megabyte each of those below it has one as long.
const maxPlaces = 64 << 20

// codes are the codes in an answer, by their JSON pointer. One whose places are too long to be
// written out has none.
func codes(body []byte) map[string]string {
	w := walker{map[string]string{}, maxPlaces}
	w.walk(recording.Parsed(body), "", false)
	if w.left < 0 {
		return nil
	}
	return w.found
}

// walker looks for codes.
type walker struct {
	found map[string]string
	left  int // bytes of places that may still be written out
}

// walk goes through a value at a place. Named says that the member that it is in is called as
// one with a code is.
func (w *walker) walk(v any, at string, named bool) {
	if w.left -= len(at); w.left < 0 {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for member, value := range v {
			if w.left >= 0 {
				w.walk(value, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(member), codeName.MatchString(member))
			}
		}
	case []any:
		for i, value := range v {
			if w.left >= 0 {
				w.walk(value, at+"/"+strconv.Itoa(i), named)
			}
		}
	case string, json.Number:
		if text := fmt.Sprint(v); named && hsCode.MatchString(text) {
			w.found[at] = text
		}
	}
}

// longest is how much of a request a comment shows, in letters.
const longest = 80

// asked is what a recording's request was about: the texts in its body, else its path.
func asked(r *recording.Recording) string {
	var texts []string
	var members map[string]any
	if json.Unmarshal(r.Answer().Request.Body, &members) == nil {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if text, ok := members[name].(string); ok {
				texts = append(texts, text)
			}
		}
	}
	text := []rune(cmp.Or(strings.Join(texts, " · "), r.Inputs.Method+" "+r.Inputs.Path))
	if len(text) > longest {
		text = append(text[:longest-1], '…')
	}
	return string(text)
}

func (c *Changes) write(b *strings.Builder) {
	if c.none() {
		fmt.Fprintln(b, "No recorded answer changed.")
		return
	}
	if len(c.Codes) > 0 {
		fmt.Fprintf(b, "**Codes that changed: %d**\n\n| request | recording | was | is |\n|---|---|---|---|\n", len(c.Codes))
		for _, code := range c.Codes[:min(len(c.Codes), mostCodes)] {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", cell(code.Request), cell(code.File), cell(code.Was), cell(code.Is))
		}
		if more := len(c.Codes) - mostCodes; more > 0 {
			fmt.Fprintf(b, "\nand %d more.\n", more)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "New answers: %d. Removed: %d. Answers that differ in something else: %d.\n", c.New, c.Removed, c.Other)
}
