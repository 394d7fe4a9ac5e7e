// Package strictjson reads JSON so that what is written is what is meant: a
// number is a whole number in decimal digits, without fraction, exponent or
// quotes; null stands for nothing; a member is there once, is known, and is
// spelled as it is; one without omitempty or omitzero has to be there; a time is
// one of RFC 3339. Package encoding/json alone takes the last of two members,
// takes any spelling of a name, and leaves a zero for null and for what is
// missing.
//
// It touches nothing but the bytes that it is given.
//
// [Decode] says what is wrong and at which byte, and [Place] makes
// file:line:column and a caret of that.
package strictjson

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Error is what is wrong with a text.
type Error struct {
	// Offset is where, in bytes from its start.
	Offset int
	// Member is the path of the member, such as operations[0].cost; empty for the
	// text as a whole.
	Member string
	Detail string
}

func (e *Error) Error() string {
	if e.Member == "" {
		return e.Detail
	}
	return e.Member + " " + e.Detail
}

// Decode reads one JSON value into what v points to: whatever is wrong is an
// [*Error], and v may be filled in part then. Types that read themselves are given
// texts only.
func Decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return &Error{Offset: badByte(data), Detail: "the text is no UTF-8"}
	}
	r := reader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	if err := r.value(nil, reflect.TypeOf(v).Elem()); err != nil {
		return err
	}
	switch _, err := r.dec.Token(); {
	case err == nil, !errors.Is(err, io.EOF):
		return &Error{Offset: r.next(), Detail: "more follows after its end"}
	}
	if err := json.Unmarshal(data, v); err != nil { // a type that reads itself
		return &Error{Detail: err.Error()}
	}
	return nil
}

// Offset is where the value of a member of an object begins, 0 where there is no
// such member.
func Offset(data []byte, member string) int {
	r := reader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	if t, err := r.dec.Token(); err != nil || t != json.Delim('{') {
		return 0
	}
	for r.dec.More() {
		name, err := r.dec.Token()
		if err != nil {
			return 0
		}
		at := r.next()
		if name == member {
			return at
		}
		var skipped json.RawMessage
		if r.dec.Decode(&skipped) != nil {
			return 0
		}
	}
	return 0
}

func badByte(data []byte) int {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return 0
}

// reader walks a text along a type.
type reader struct {
	data []byte
	dec  *json.Decoder
}

// next is where the next token begins.
func (r *reader) next() int {
	at := int(r.dec.InputOffset())
	for at < len(r.data) && strings.IndexByte(" \t\r\n:,", r.data[at]) >= 0 {
		at++
	}
	return at
}

// token is the next one and where it begins.
func (r *reader) token(p *path) (json.Token, int, error) {
	at := r.next()
	t, err := r.dec.Token()
	if err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = max(int(syntax.Offset)-1, 0)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends in the middle")
		}
		return nil, at, &Error{Offset: min(at, len(r.data)), Member: p.String(), Detail: "can't be read: " + err.Error()}
	}
	return t, at, nil
}

var (
	textType  = reflect.TypeFor[encoding.TextUnmarshaler]()
	ownType   = reflect.TypeFor[json.Unmarshaler]()
	timeType  = reflect.TypeFor[time.Time]()
	rawType   = reflect.TypeFor[json.RawMessage]()
	wholeForm = pattern.New(`^(0|-?[1-9][0-9]*)$`)
)

// value reads a value of a type.
func (r *reader) value(p *path, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, at, err := r.token(p)
	if err != nil {
		return err
	}
	wrong := func(format string, args ...any) error { return &Error{at, p.String(), fmt.Sprintf(format, args...)} }
	if p.deep() > maxDepth {
		return &Error{at, "", fmt.Sprintf("nests more than %d levels deep", maxDepth)}
	}
	own := reflect.PointerTo(t)
	switch {
	case t == rawType || t.Kind() == reflect.Interface:
		return r.anything(p, token)
	case token == nil:
		return wrong("is null: leave it out, or say what it is")
	case t == timeType:
		text, ok := token.(string)
		if _, err := time.Parse(time.RFC3339Nano, text); !ok || err != nil {
			return wrong("is %s, want a time such as 2026-01-31T12:00:00Z", shown(token))
		}
		return nil
	case own.Implements(textType), own.Implements(ownType):
		text, ok := token.(string)
		if !ok {
			return wrong("is %s, want a text", shown(token))
		}
		if v, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
			if err := v.UnmarshalText([]byte(text)); err != nil {
				return wrong("can't be read: %v", err)
			}
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		if token != json.Delim('{') {
			return wrong("is %s, want an object", shown(token))
		}
		return r.object(p, at, t)
	case reflect.Map:
		if token != json.Delim('{') {
			return wrong("is %s, want an object", shown(token))
		}
		return r.members(p, func(string) (reflect.Type, bool) { return t.Elem(), true })
	case reflect.Slice:
		if token != json.Delim('[') {
			return wrong("is %s, want a list", shown(token))
		}
		return r.list(p, t.Elem())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		number, ok := token.(json.Number)
		if !ok || !wholeForm.MatchString(number.String()) {
			return wrong("is %s, want a whole number in decimal digits, without quotes", shown(token))
		}
		if !fits(number.String(), t) {
			return wrong("is %s, which is out of range", shown(number))
		}
	case reflect.Float64:
		if number, ok := token.(json.Number); !ok {
			return wrong("is %s, want a number", shown(token))
		} else if _, err := number.Float64(); err != nil {
			return wrong("is %s, which is out of range", shown(number))
		}
	case reflect.Bool:
		if _, ok := token.(bool); !ok {
			return wrong("is %s, want true or false", shown(token))
		}
	case reflect.String:
		if _, ok := token.(string); !ok {
			return wrong("is %s, want a text", shown(token))
		}
	default:
		panic("strictjson: no way to read a " + t.String())
	}
	return nil
}

// fits tells whether a whole number is one of an integer type.
func fits(number string, t reflect.Type) bool {
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
		_, err := strconv.ParseUint(number, 10, t.Bits())
		return err == nil
	}
	_, err := strconv.ParseInt(number, 10, t.Bits())
	return err == nil
}

// longest is how many bytes of a value, or of a name, a message shows.
const longest = 40

// shown is a value for a message.
func shown(t json.Token) string {
	switch v := t.(type) {
	case json.Delim:
		if v == '{' {
			return "an object"
		}
		return "a list"
	case string:
		if len(v) > longest {
			return "a text"
		}
		return strconv.Quote(v)
	case json.Number:
		if len(v) > longest {
			return fmt.Sprintf("a number of %d characters", len(v))
		}
		return v.String()
	}
	return fmt.Sprint(t)
}
