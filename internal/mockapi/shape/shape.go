// Package shape has the answers of a service as templates, which were learned from its
// recordings: the format of the files below mock/, and what makes an answer of one.
//
// It may touch internal/strictjson, and the files of the folder that it is given.
//
// A file is one operation. In a body each value stands for itself, but for texts that
// begin with $ and objects whose first member does:
//
//	"$code ####.##.####"           the code, its digits in the places of #; "number" before them makes it one
//	"$title"                       what the code is for
//	"$confidence 0.00"             how sure it is, with two decimals; 0.## with two at most;
//	                               "text" and "percent" before it, "then %" after it
//	"$echo /goods/title"           what the request has there; upper, lower or digits before the
//	                               pointer, ?name for the query, /items/*/sku for the item that is
//	                               answered; "$echo? …" leaves the member out where the request does
//	"$text No {/to} here"          a text with what the request has
//	"$uuid", "$id 'r-'9999hh"      an id that is new each time: 9 digits, h H hexadecimal, a A letters, x X both
//	"$sequence 1042", "$rank 1"    the next number; the place in the list, from 1
//	"$count found 3"               how many there are, at most 3; or "$count items"
//	"$time 2006-01-02T15:04:05Z"   now, as package time spells it; or unix, unixmilli
//	{"$each": "found", "least": 1, "most": 3, "item": …}    one for each code, best first; or "items"
//	{"$by": "country", "is": {"US": …}, "else": …}          by the country, the language or a pointer
//	{"$seen": [ … ]}                                        one of those, the same for the same request
//
// A text that begins with $ itself is written with two.
package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/strictjson"
)

// Format is the number of the file format that this version reads and writes.
const Format = 1

// Folder is where the files are, beside the project file, and Suffix is what their names
// end with. Other files there are nobody's.
const (
	Folder = "mock"
	Suffix = ".learned.json"
)

// When an answer is given.
const (
	WhenFound      = "found"
	WhenNothing    = "nothing found" // the goods can't be classified
	WhenNoText     = "no text"
	WhenNoItems    = "no items"
	WhenNoCountry  = "no country"
	WhenBadCountry = "bad country"
	WhenBadCode    = "bad code" // the six digits of the request
	WhenBadBody    = "bad body"
)

var whens = []string{WhenFound, WhenNothing, WhenNoText, WhenNoItems, WhenNoCountry, WhenBadCountry, WhenBadCode, WhenBadBody}

// Operation is what was learned of one operation: a file.
type Operation struct {
	Format int `json:"format"`
	// Operation is its method and path, such as POST /hscode/classify.
	Operation string   `json:"operation"`
	Learned   Learned  `json:"learned"`
	Elapsed   *Elapsed `json:"elapsed_ms,omitempty"`
	Request   Request  `json:"request"`
	Answers   []Answer `json:"answers"`
	// Assumed is what the recordings do not show.
	Assumed []string `json:"assumed,omitempty"`

	compiled []compiled
}

// Learned says what it was learned from.
type Learned struct {
	// Recordings are the beginnings of their keys.
	Recordings []string `json:"recordings"`
	// From and To are when the first and the last of them was recorded.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Elapsed is how long answers took, in milliseconds.
type Elapsed struct {
	Median int64 `json:"median"`
	P95    int64 `json:"p95"`
}

// Request says by pointers which members of a request have what.
type Request struct {
	Text     []string `json:"text,omitempty"`
	More     []string `json:"more,omitempty"` // texts that count less
	Country  []string `json:"country,omitempty"`
	Language []string `json:"language,omitempty"`
	HS6      []string `json:"hs6,omitempty"`
	// Items is the list of a batch, such as /items/*; pointers that begin so are each
	// item's.
	Items string `json:"items,omitempty"`
	// Members are all that were seen: by pointer, the type, and sometimes where a
	// request had none.
	Members map[string]string `json:"members,omitempty"`
}

// Answer is a template.
type Answer struct {
	When string `json:"when"`
	// From is how many recordings show it.
	From   int `json:"from"`
	Status int `json:"status"`
	// Headers is an object of texts.
	Headers json.RawMessage `json:"headers,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
}

// compiled is an [Answer] that was understood.
type compiled struct {
	headers, body node // nil without any
}

// Error says what is wrong with a file.
type Error struct{ err error }

// Error is file:line:column and why, with a caret.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.err }

// Decode reads a file's text; every error is an [*Error] with file:line:column.
func Decode(name string, data []byte) (*Operation, error) {
	op := &Operation{}
	if err := strictjson.Decode(data, op); err != nil {
		var at *strictjson.Error
		if errors.As(err, &at) {
			return nil, wrong(name, data, at.Offset, at.Error())
		}
		return nil, &Error{fmt.Errorf("%s: %w", name, err)}
	}
	if op.Format != Format {
		return nil, wrong(name, data, strictjson.Offset(data, "format"), fmt.Sprintf("format %d, this version reads %d", op.Format, Format))
	}
	if method, at, ok := strings.Cut(op.Operation, " "); !ok || method == "" || !strings.HasPrefix(at, "/") {
		return nil, wrong(name, data, strictjson.Offset(data, "operation"), "operation is no method and path such as POST /hscode/classify")
	}
	if err := op.Request.check(); err != nil {
		return nil, wrong(name, data, strictjson.Offset(data, "request"), err.Error())
	}
	if err := op.compile(name, data); err != nil {
		return nil, err
	}
	return op, nil
}

// compile understands the answers.
func (op *Operation) compile(name string, data []byte) error {
	op.compiled = nil
	from := strictjson.Offset(data, "answers")
	seen := map[string]bool{}
	for _, a := range op.Answers {
		switch {
		case !slices.Contains(whens, a.When):
			return wrong(name, data, from, fmt.Sprintf("when: %q is none of %s", a.When, strings.Join(whens, ", ")))
		case seen[a.When]:
			return wrong(name, data, from, "when: "+a.When+" is there twice")
		case a.Status < 200 || a.Status > 599:
			return wrong(name, data, from, fmt.Sprintf("status %d of %q is no HTTP status of an answer", a.Status, a.When))
		}
		seen[a.When] = true
		var c compiled
		for _, part := range []struct {
			raw  json.RawMessage
			into *node
		}{{a.Headers, &c.headers}, {a.Body, &c.body}} {
			if len(part.raw) == 0 {
				continue
			}
			at := from
			if i := bytes.Index(data[from:], part.raw); i >= 0 {
				at = from + i
			}
			v, err := Parse(part.raw)
			if err == nil {
				*part.into, err = compileNode(v)
			}
			if err == nil && itemsInItems(*part.into) {
				err = errors.New(`"$each": "items" stands within another: there would be an answer for each two items of a batch`)
			}
			if err == nil && part.into == &c.headers && v.Kind != Object {
				err = errors.New("headers are an object of texts")
			}
			var place *placeError
			if errors.As(err, &place) {
				at += place.at
			}
			if err != nil {
				return wrong(name, data, at, err.Error())
			}
		}
		op.compiled = append(op.compiled, c)
	}
	if !seen[WhenFound] {
		return wrong(name, data, from, "there is no answer for when: "+WhenFound)
	}
	return nil
}

// check looks at the pointers.
func (r Request) check() error {
	if r.Items != "" && !strings.HasSuffix(r.Items, "/*") {
		return fmt.Errorf("items: %q does not end in /*", r.Items)
	}
	for _, list := range [][]string{r.Text, r.More, r.Country, r.Language, r.HS6} {
		for _, p := range list {
			if err := checkPointer(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkPointer(p string) error {
	if !strings.HasPrefix(p, "/") && (!strings.HasPrefix(p, "?") || len(p) < 2) {
		return fmt.Errorf("%q is no pointer such as /goods/title, and no ?name of the query", p)
	}
	return nil
}

// wrong is an error at a byte of a file.
func wrong(name string, data []byte, offset int, message string) error {
	offset = min(max(offset, 0), len(data))
	from := bytes.LastIndexByte(data[:offset], '\n') + 1
	line := data[from:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	return &Error{strictjson.Place(name, bytes.Count(data[:offset], []byte("\n"))+1, line, offset-from, message)}
}

// Encode is the text of a file: the same for the same operation. It fails where Decode
// would.
func (op *Operation) Encode(name string) ([]byte, error) {
	var raw, out bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(op); err != nil {
		return nil, err
	}
	if err := json.Indent(&out, raw.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	_, err := Decode(name, out.Bytes())
	return out.Bytes(), err
}
