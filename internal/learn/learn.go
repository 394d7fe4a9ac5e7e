// Package learn makes templates of a service's own answers from the recordings of what
// was bought: for each operation the members that requests have, the shape of answers by
// what was asked, and what only more recordings could tell.
//
// It may touch recordings, the templates of internal/mockapi/shape, internal/secret, and
// files of the folder that it writes.
package learn

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/secret"
)

// Result is what came of learning.
type Result struct {
	Operations []*shape.Operation
	// Left are recordings and operations that nothing was learned from, each with why.
	Left []Left
}

// Left is something that nothing was learned from.
type Left struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// From learns from recordings, one after the other: the answer of each that answers now,
// or the failure that is kept. They are taken in the order of their keys, so the same give
// the same, and of very many of one kind those that come first in it: see [portion].
func From(recs iter.Seq[*recording.Recording]) Result {
	var result Result
	var left []leftOut
	by := map[string]map[int]*portion{}
	seen := map[string]bool{}
	for r := range recs {
		leave := func(why string) { left = append(left, leftOut{r.Key, Left{name(r), why}}) }
		take := r.Answer()
		if take == nil {
			take = r.Shown()
		}
		switch status := take.Response.Status; {
		case seen[r.Key]:
			continue
		case strings.HasPrefix(r.Inputs.Path, managed):
			leave("the shape of the managed API is verified, and is not learned")
			continue
		case take.Standing() == recording.Pending:
			leave("what it holds waits to be accepted")
			continue
		case status/100 == 2, status/100 == 4 && !passing(status):
		default:
			leave(fmt.Sprintf("its answer is %d, which says nothing about what was asked", status))
			continue
		}
		if why := tooMuch(take); why != "" {
			leave(why)
			continue
		}
		seen[r.Key] = true
		operation := r.Inputs.Method + " " + r.Inputs.Path
		if by[operation] == nil {
			by[operation] = map[int]*portion{}
		}
		of := by[operation][take.Response.Status]
		if of == nil {
			of = &portion{}
			by[operation][take.Response.Status] = of
		}
		of.add(newExchange(r, take))
	}
	slices.SortStableFunc(left, func(a, b leftOut) int { return cmp.Compare(a.key, b.key) })
	for _, l := range left {
		result.Left = append(result.Left, l.Left)
	}
	for _, operation := range slices.Sorted(maps.Keys(by)) {
		var all []*exchange
		for _, status := range slices.Sorted(maps.Keys(by[operation])) {
			of := by[operation][status]
			all = append(all, of.take()...)
			if of.more > 0 {
				result.Left = append(result.Left, Left{operation, fmt.Sprintf("%d more recordings of it with status %d are not learned from: %d tell its shape", of.more, status, len(of.kept))})
			}
		}
		slices.SortFunc(all, byKey)
		op, why := learnOperation(operation, all)
		if op == nil {
			result.Left = append(result.Left, Left{operation, why})
			continue
		}
		result.Operations = append(result.Operations, op)
	}
	return result
}

// leftOut is what was left out, with the key of the recording.
type leftOut struct {
	key string
	Left
}

// managed is where the paths of the managed API begin.
const managed = "/api/v2/companies/"

func passing(status int) bool {
	return slices.Contains([]int{401, 402, 403, 407, 408, 429}, status)
}

func name(r *recording.Recording) string { return cmp.Or(r.File, short(r.Key)) }

func short(key string) string { return key[:min(12, len(key))] }

// learnOperation learns one operation, or says why it can't.
func learnOperation(operation string, all []*exchange) (*shape.Operation, string) {
	var good []*exchange
	for _, e := range all {
		if e.status/100 == 2 && e.answerIsJSON && (e.requestJSON || len(e.query) > 0) {
			good = append(good, e)
		}
	}
	if len(good) == 0 {
		return nil, "no recording of it has a request and an answer in JSON that succeeded"
	}
	l := newLearner(operation, good)
	cases := map[string][]*exchange{}
	for _, e := range all {
		if when := l.when(e); when != "" {
			cases[when] = append(cases[when], e)
		} else {
			l.assume("the recording %s has an answer that is no JSON, and was left out", short(e.key))
		}
	}
	if len(cases[shape.WhenFound]) == 0 {
		return nil, "no recording of it has an answer with a code"
	}
	op := &shape.Operation{Format: shape.Format, Operation: operation, Request: l.request}
	for _, when := range order {
		if of := cases[when]; len(of) > 0 {
			op.Answers = append(op.Answers, l.template(when, of))
			for _, e := range of {
				op.Learned.Recordings = append(op.Learned.Recordings, short(e.key))
				if op.Learned.From.IsZero() || e.at.Before(op.Learned.From) {
					op.Learned.From = e.at
				}
				if e.at.After(op.Learned.To) {
					op.Learned.To = e.at
				}
			}
		} else if why := unknown[when]; why != "" && (when != shape.WhenNoItems || l.request.Items != "") {
			l.assume("%s", why)
		}
	}
	slices.Sort(op.Learned.Recordings)
	op.Learned.From, op.Learned.To = op.Learned.From.Truncate(time.Second), op.Learned.To.Truncate(time.Second)
	op.Elapsed = elapsed(good)
	op.Assumed = l.assumed
	return op, ""
}

// order is that of the answers in a file.
var order = []string{
	shape.WhenFound, shape.WhenNothing, shape.WhenNoText, shape.WhenNoItems, shape.WhenNoCountry,
	shape.WhenBadCountry, shape.WhenBadCode, shape.WhenBadBody,
}

// unknown is what no recording shows.
var unknown = map[string]string{
	shape.WhenNothing:    "what goods are answered that can't be classified",
	shape.WhenNoText:     "what a request without a text is answered",
	shape.WhenNoItems:    "what a request without items is answered",
	shape.WhenBadCountry: "what a destination that there is not is answered",
}

func elapsed(good []*exchange) *shape.Elapsed {
	var all []int64
	for _, e := range good {
		if e.elapsed > 0 {
			all = append(all, e.elapsed)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return &shape.Elapsed{Median: all[(len(all)-1)/2], P95: all[(len(all)*95+99)/100-1]}
}

// Written is what became of a file.
type Written struct {
	File       string `json:"file"`
	Operation  string `json:"operation"`
	Recordings int    `json:"recordings"`
	// Changed says that it is new or has another text than before.
	Changed bool `json:"changed"`
}

// Write writes the templates below a folder, each to a file of its own. What is there
// already as it should be is not touched. Nothing is written that holds a secret.
func (r Result) Write(dir string, find *secret.Finder) ([]Written, error) {
	texts := map[string][]byte{}
	for _, op := range r.Operations {
		file := filepath.Join(dir, FileName(op.Operation))
		text, err := op.Encode(file)
		if err != nil {
			return nil, fmt.Errorf("%s was learned wrongly, and nothing is written: %w", op.Operation, err)
		}
		if names := find.Tokens().Names(text); len(names) > 0 {
			return nil, &SecretError{op.Operation, names}
		}
		texts[file] = text
	}
	var all []Written
	for _, op := range r.Operations {
		file := filepath.Join(dir, FileName(op.Operation))
		w := Written{File: file, Operation: op.Operation, Recordings: len(op.Learned.Recordings)}
		before, err := files.Read(file, files.Text)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return all, err
		}
		if w.Changed = !bytes.Equal(before, texts[file]); w.Changed {
			if err := files.Folder(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
				return all, err
			}
			if err := files.Replace(file, texts[file]); err != nil {
				return all, err
			}
		}
		all = append(all, w)
	}
	return all, nil
}

// SecretError says that templates would hold a secret.
type SecretError struct {
	Operation string
	Secrets   []string
}

// Error names it, and not its value.
func (e *SecretError) Error() string {
	return fmt.Sprintf("what was learned of %s holds %s: nothing is written", e.Operation, strings.Join(e.Secrets, ", "))
}

// FileName is the name of an operation's file, such as hscode-classify.learned.json.
func FileName(operation string) string {
	method, path, _ := strings.Cut(operation, " ")
	var b strings.Builder
	if method != "POST" {
		path = method + "/" + path
	}
	for _, c := range strings.ToLower(path) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' {
			b.WriteRune(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-")
	return cmp.Or(name[:min(80, len(name))], "operation") + shape.Suffix
}

// raw is a value as it goes into a file.
func raw(v shape.Value) json.RawMessage { return v.Append(nil) }
