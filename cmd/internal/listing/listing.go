// Package listing says what recordings and a ledger hold, as lines and as text. It
// may touch recordings, what the project file says of them, and an open ledger.
package listing

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

// Line is one recording as ls prints it.
type Line struct {
	Key       string `json:"key"`
	Operation string `json:"operation"`
	API       string `json:"api"`
	Takes     int    `json:"takes"`
	// Status, RecordedAt and the age are those of the take that answers, or of the
	// latest where none does. Cost is what all takes cost in units.
	Status int `json:"status"`
	// State is evidence or pending where no take answers.
	State string `json:"state,omitempty"`
	// Pending says that a take waits to be accepted.
	Pending bool `json:"pending,omitempty"`
	Cost    int  `json:"cost"`
	// Edition names the editions of the nomenclature it is from.
	Edition    string    `json:"edition"`
	RecordedAt time.Time `json:"recorded_at"`
	AgeSeconds int64     `json:"age_seconds"`
	// Stale says that it is older than the project's recordings.max_age.
	Stale bool   `json:"stale"`
	File  string `json:"file"`
	// Place is quarantine or emergency where it is on this machine alone.
	Place string `json:"place,omitempty"`
}

// Of is the line of a recording, and whether its latest take is of some age or older.
func Of(pr *project.Project, store *recording.Store, r *recording.Recording, now time.Time, least time.Duration) (Line, bool) {
	t := r.Shown()
	age := t.Age(now)
	line := Line{
		Key: r.Key, Operation: r.Inputs.Method + " " + r.Inputs.Path, API: r.Inputs.API, Takes: len(r.Takes),
		Status: t.Response.Status, Cost: r.Paid(), Edition: edition(t), RecordedAt: t.RecordedAt,
		AgeSeconds: int64(age / time.Second), Stale: t.Older(pr.MaxAge(), now), File: show.Path(r.File), Pending: r.Waiting() != nil,
	}
	if state := t.Standing(); state != recording.Answer {
		line.State = string(state)
	}
	if place := store.Place(r); place != recording.Shared {
		line.Place = string(place)
	}
	return line, r.Latest().Age(now) >= least
}

// edition is the one that a take is from, in words for people.
func edition(t *recording.Take) string { return cmp.Or(t.Edition, "unknown") }

// leastKey is how much of a key has to be typed.
const leastKey = 4

// ByKey is the recording whose key begins so. What several places have is one recording.
// Without one the error is [recording.ErrMiss].
func ByKey(all iter.Seq[*recording.Recording], begins string) (*recording.Recording, error) {
	prefix := strings.ToLower(begins)
	if len(prefix) < leastKey || strings.Trim(prefix, "0123456789abcdef") != "" {
		return nil, hint.ListRecordings.About(fmt.Errorf("%q is neither a file nor the beginning of a key (%d or more hexadecimal digits)", begins, leastKey))
	}
	var found []*recording.Recording
	for r := range all {
		if !strings.HasPrefix(r.Key, prefix) {
			continue
		}
		if i := slices.IndexFunc(found, func(f *recording.Recording) bool { return f.Key == r.Key }); i >= 0 {
			found[i] = recording.Merge(found[i], r)
		} else {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return nil, recording.ErrMiss
	case 1:
		return found[0], nil
	}
	return nil, hint.MoreOfTheKey.About(fmt.Errorf("%d recordings begin with %s", len(found), begins))
}

// NoneError says that there is no such recording. It wraps what says so.
type NoneError struct{ err error }

// Error is what it wraps.
func (e *NoneError) Error() string { return e.err.Error() }

// Unwrap is the reason.
func (e *NoneError) Unwrap() error { return e.err }

// Find is the recording that an argument names: the beginning of the key of one of all, or
// a file, which need not be in the folder: a copy, an older version, a quarantined one. Damaged
// names, once all were read, those that can't be.
func Find(store *recording.Store, all iter.Seq[*recording.Recording], damaged *error, arg string) (*recording.Recording, error) {
	if strings.ContainsAny(arg, `/\`) || strings.HasSuffix(arg, ".json") {
		r, err := store.Read(arg)
		if errors.Is(err, os.ErrNotExist) {
			err = &NoneError{hint.ListRecordings.About(err)}
		}
		return r, err
	}
	r, err := ByKey(all, arg)
	if errors.Is(err, recording.ErrMiss) {
		err = cmp.Or[error](*damaged, &NoneError{hint.ListRecordings.About(fmt.Errorf("no recording begins with %s", arg))}) // it may be one of the damaged
	}
	return r, err
}

// Print writes the lines as a table.
func Print(to io.Writer, lines []Line) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tOPERATION\tAPI\tTAKES\tSTATUS\tCOST\tAGE\tFILE")
	for _, l := range lines {
		age := show.Age(time.Duration(l.AgeSeconds) * time.Second)
		if l.Stale {
			age += " stale"
		}
		status := strings.TrimSpace(fmt.Sprint(l.Status, " ", l.State))
		if l.Pending && l.State == "" {
			status += ", one pending"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\n", show.Key(l.Key), show.Plain(l.Operation), show.Plain(l.API), l.Takes, status, l.Cost, age, show.Plain(l.File))
	}
	return w.Flush()
}

// Text is a recording for people. The request is that of the latest
// take: those of the others differ in nothing that counts.
func Text(r *recording.Recording, now time.Time) string {
	var b strings.Builder
	target := r.Inputs.Path
	if r.Inputs.Query != "" {
		target += "?" + r.Inputs.Query
	}
	fmt.Fprintf(&b, "%s\n", show.Plain(r.Inputs.Method+" "+target))
	fmt.Fprintf(&b, "to    %s %s\nkey   %s\nfile  %s\n", show.Plain(r.Inputs.Environment), show.Plain(r.Inputs.API), show.Plain(r.Key), show.Plain(show.Path(r.File)))
	b.WriteString("\nrequest\n")
	messageText(&b, r.Latest().Request)
	for i := range r.Takes {
		t := &r.Takes[i]
		fmt.Fprintf(&b, "\ntake %d of %d, %s (%s ago), %d ms, cost %d", i+1, len(r.Takes), t.RecordedAt.UTC().Format(time.RFC3339), show.Age(t.Age(now)), t.ElapsedMS, t.Cost)
		if t.Entry != "" {
			fmt.Fprintf(&b, ", spend %s", show.Plain(t.Entry))
		}
		fmt.Fprintf(&b, ", edition %s", show.Plain(edition(t)))
		fmt.Fprintf(&b, "\nstatus %d", t.Response.Status)
		if state := t.Standing(); state != recording.Answer {
			fmt.Fprintf(&b, ", %s: it answers nothing", state)
		}
		b.WriteString("\n")
		messageText(&b, t.Response)
		if len(t.Redactions) > 0 {
			fmt.Fprintf(&b, "  redacted: %s\n", show.Plain(strings.Join(t.Redactions, ", ")))
		}
	}
	return b.String()
}

// messageText writes headers and body, indented.
func messageText(b *strings.Builder, m recording.Message) {
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		for _, value := range m.Header[name] {
			fmt.Fprintf(b, "  %s: %s\n", show.Plain(name), show.Plain(value))
		}
	}
	if len(m.Body) == 0 {
		return
	}
	var indented bytes.Buffer
	text := string(m.Body)
	switch {
	case json.Indent(&indented, m.Body, "", "  ") == nil:
		text = indented.String()
	case !utf8.Valid(m.Body):
		text = fmt.Sprintf("(%d bytes that are no text)", len(m.Body))
	}
	for line := range strings.Lines(text) {
		fmt.Fprintf(b, "  %s\n", show.Plain(strings.TrimRight(line, "\r\n")))
	}
}
