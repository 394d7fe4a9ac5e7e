package recording

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// Format is the number of the file format this version writes and reads.
const Format = 1

// mostUnits is how many units an allowance may have, as package quota says, which no recording
// needs. What recordings cost is added up, to say a price, and would wrap around.
const mostUnits = 1_000_000_000_000

// Recording is one file: a request and what it was answered, once or more often.
type Recording struct {
	Format int    `json:"format"`
	Key    string `json:"key"`
	Inputs Inputs `json:"key_inputs"`
	// Headers names the headers that counted when the key was made; those that
	// are not in Inputs the request did not have. What a recording without it was
	// asked with is not known.
	Headers []string `json:"key_headers,omitempty"`
	// Takes are in the order they were recorded; there is at least one.
	Takes []Take `json:"takes"`
	// File is where the recording was read: of several places that have takes of
	// it, the shared one first.
	File string `json:"-"`
}

// Latest is the take that was recorded last.
func (r *Recording) Latest() *Take { return &r.Takes[len(r.Takes)-1] }

// Take is one answer.
type Take struct {
	// Key is that of the recording that the take belongs to. Put fills it in;
	// takes of earlier versions have none.
	Key string `json:"key,omitempty"`
	// State is what the take is good for; see [Take.Standing]. Put fills in
	// [Evidence] where the status is no answer.
	State State `json:"state,omitempty"`
	// RecordedAt is when the answer was complete. Put fills in a zero one.
	RecordedAt time.Time `json:"recorded_at"`
	// Edition names the editions of the nomenclature that were in force then: HS 2022,
	// HTS 2026. Empty is not known.
	Edition string `json:"edition,omitempty"`
	// Cost is what the answer cost, in units.
	Cost int `json:"cost"`
	// Entry is the ledger's id of the spend that bought it; empty at cost 0.
	Entry string `json:"entry,omitempty"`
	// Request is for readers. Put fills it in from the key.
	Request  Message `json:"request"`
	Response Message `json:"response"`
	// ElapsedMS is how long the answer took, in milliseconds.
	ElapsedMS int64 `json:"elapsed_ms"`
	// Redactions say where secrets stood, such as response.json.account. Put
	// fills them in.
	Redactions []string `json:"redactions,omitempty"`

	judged State  // by the store that read it
	aside  string // the file in quarantine that it was read from, else empty
}

// Aside is the file in [Quarantine] that has the take, empty for one that is elsewhere: it
// may stand among those of a recording that is shared.
func (t *Take) Aside() string { return t.aside }

// Age is how old the take is at now; a take from the future is 0 old.
func (t *Take) Age(now time.Time) time.Duration { return max(0, now.Sub(t.RecordedAt)) }

// clockSkew is how far the clocks of two machines may be apart.
const clockSkew = 24 * time.Hour

// Older tells whether the take is older than an age at now; 0 is any age. One that
// is dated ahead by more than a day was recorded by a clock that was wrong: how old it
// is nobody knows, and it would stay young for ever, so it counts as older.
func (t *Take) Older(age time.Duration, now time.Time) bool {
	return age > 0 && (t.Age(now) > age || t.RecordedAt.Sub(now) > clockSkew)
}

// Message is a request or a response.
type Message struct {
	// Status is a response's; a request has 0.
	Status int
	Header http.Header
	// Body is empty, JSON, or anything else. The file has JSON as JSON and the
	// rest as base64 with its SHA-256; JSON read back has no white space between
	// its tokens.
	Body []byte
}

// message is a Message in a file.
type message struct {
	Status int             `json:"status,omitempty"`
	Header http.Header     `json:"headers"`
	JSON   json.RawMessage `json:"json,omitempty"`
	Base64 string          `json:"base64,omitempty"`
	SHA256 string          `json:"sha256,omitempty"`
}

// MarshalJSON writes the body in the form that suits it.
func (m Message) MarshalJSON() ([]byte, error) {
	out := message{Status: m.Status, Header: m.Header}
	if out.Header == nil {
		out.Header = http.Header{}
	}
	if text, ok := compact(m.Body); ok {
		out.JSON = text
	} else if len(m.Body) > 0 {
		out.Base64, out.SHA256 = base64.StdEncoding.EncodeToString(m.Body), digest(m.Body)
	}
	return marshal(out)
}

// UnmarshalJSON reads either form and checks the hash.
func (m *Message) UnmarshalJSON(raw []byte) error {
	var in message
	if err := strict(raw, &in); err != nil {
		return err
	}
	*m = Message{Status: in.Status, Header: in.Header}
	switch text, isJSON := compact(in.JSON); {
	case isJSON && in.Base64 != "":
		return errors.New("a body in both json and base64")
	case isJSON:
		m.Body = text
	case in.Base64 != "":
		body, err := base64.StdEncoding.DecodeString(in.Base64)
		if err != nil {
			return fmt.Errorf("base64: %w", err)
		}
		if got := digest(body); got != in.SHA256 {
			return fmt.Errorf("body has sha256 %s, not %s as the file says", got, in.SHA256)
		}
		m.Body = body
	}
	return nil
}

// compact is JSON without white space, its order and spelling kept. It is false for
// anything that is not exactly one JSON value in UTF-8. It makes no tree: one is dozens
// of times as long as a text of short values.
func compact(raw []byte) ([]byte, bool) {
	var b bytes.Buffer
	if len(raw) == 0 || !utf8.Valid(raw) || json.Compact(&b, raw) != nil {
		return nil, false
	}
	return b.Bytes(), true
}

// marshal is json.Marshal that leaves < > & readable.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// strict refuses members it does not know: they would be lost at the next write.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// mostIndented is how many times as long as its text a file may be for its indentation, and
// mostOfLong where the text is a long one: ordinary answers have twice, a list of numbers
// eight times, and one in a thousand others thousands.
const (
	mostIndented = 16
	mostOfLong   = 4
	longText     = 1 << 20
)

// encode is the file's text: indented, its members in the struct's order.
func encode(r *Recording) ([]byte, error) {
	raw, err := marshal(r)
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	most := mostIndented
	if len(raw) > longText {
		most = mostOfLong
	}
	if indented(raw) > most*len(raw) {
		return append(raw, '\n'), nil
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// decode reads a file's text. Every error is a [*FileError].
func decode(file string, raw []byte) (*Recording, error) {
	fail := func(line int, err error) error { return &FileError{File: file, Line: line, Err: err} }
	if at := firstBad(raw); at >= 0 { // encoding/json would put U+FFFD there, and the body's hash is not kept
		return nil, fail(lineAt(raw, at), errors.New("damaged recording: it is no UTF-8"))
	}
	var head struct {
		Format *int `json:"format"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, fail(lineOf(raw, err), fmt.Errorf("damaged recording: %w", err))
	}
	switch {
	case head.Format == nil:
		return nil, fail(1, errors.New("no recording: it has no format number"))
	case *head.Format != Format:
		return nil, fail(lineAt(raw, bytes.Index(raw, []byte(`"format"`))),
			fmt.Errorf("recording of format %d, this version reads %d", *head.Format, Format))
	}
	r := &Recording{File: file}
	if err := strict(raw, r); err != nil {
		return nil, fail(lineOf(raw, err), fmt.Errorf("damaged recording: %w", err))
	}
	if len(r.Takes) == 0 {
		return nil, fail(0, errors.New("damaged recording: no takes"))
	}
	for i, t := range r.Takes {
		switch {
		case !t.State.valid():
			return nil, fail(lineAt(raw, bytes.Index(raw, []byte(`"`+t.State+`"`))),
				fmt.Errorf("damaged recording: take %d has the state %q, want answer, evidence or pending", i+1, t.State))
		case t.Cost < 0 || int64(t.Cost) > mostUnits:
			return nil, fail(0, fmt.Errorf("damaged recording: take %d has the cost %d", i+1, t.Cost))
		case t.Response.Status < 200 || t.Response.Status > 599: // RFC 9110 §15: nobody can be handed another
			return nil, fail(lineAt(raw, bytes.Index(raw, fmt.Appendf(nil, `"status": %d`, t.Response.Status))),
				fmt.Errorf("damaged recording: take %d has the status %d, which no answer has", i+1, t.Response.Status))
		case t.Key != "" && t.Key != r.Key:
			return nil, fail(lineAt(raw, bytes.Index(raw, []byte(t.Key))),
				fmt.Errorf("damaged recording: take %d answers another request: its key is %s, the recording's %s", i+1, t.Key, r.Key))
		}
	}
	if sum := r.Inputs.sum(); sum != r.Key {
		return nil, fail(lineAt(raw, bytes.Index(raw, []byte(`"key"`))),
			fmt.Errorf("damaged recording: key %s, but its key_inputs give %s", r.Key, sum))
	}
	return r, nil
}

// firstBad is the first byte that is no UTF-8; -1 where all are.
func firstBad(raw []byte) int {
	if utf8.Valid(raw) {
		return -1
	}
	at := 0
	for {
		r, n := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
}

// lineOf is the line where err happened; 0 if it does not say.
func lineOf(raw []byte, err error) int {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return lineAt(raw, int(syntax.Offset))
	case errors.As(err, &typ):
		return lineAt(raw, int(typ.Offset))
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return lineAt(raw, bytes.Index(raw, []byte(field)))
	}
	return 0
}

// lineAt is the line of an offset, from 1; 0 for no offset.
func lineAt(raw []byte, offset int) int {
	if offset < 0 {
		return 0
	}
	return bytes.Count(raw[:min(offset, len(raw))], []byte("\n")) + 1
}
