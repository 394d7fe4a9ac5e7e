package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/mockidp/control"
)

// exchange is one request and its answer.
type exchange struct {
	method, url string
	sent        http.Header
	request     []byte

	status  int
	header  http.Header
	body    []byte
	elapsed time.Duration
	wide    bool // its body has too many values to be read
	shown   string
}

// response is the answer as a step sees it: what no expression can name, and nothing is
// compared with, is left out.
func (x *exchange) response(st *Step) *Response {
	r := &Response{Status: x.status, ElapsedMS: int(x.elapsed.Milliseconds())}
	named := len(st.Expect.Assert) > 0 || len(st.Capture) > 0
	if named {
		r.Body = string(x.body)
	}
	if named || len(st.Expect.Headers) > 0 {
		r.Headers = make(map[string]string, len(x.header))
		for name, values := range x.header {
			r.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	if named || st.Expect.JSON != nil || st.Score != nil {
		var err error
		r.JSON, err = decodeJSON(x.body) // nil when it is none
		x.wide = errors.Is(err, errValues)
	}
	return r
}

// refusal is why the guard answered by itself, with the command to type next;
// empty if it did not.
func (x *exchange) refusal() string {
	if x == nil {
		return ""
	}
	verdict := x.header.Get(guard.VerdictHeader)
	if verdict == "" || verdict == string(guard.Unbought) {
		return ""
	}
	var problem struct{ Detail, Command string }
	if json.Unmarshal(x.body, &problem) != nil || problem.Detail == "" {
		return "it says " + verdict
	}
	if problem.Command != "" {
		problem.Detail += "; " + problem.Command
	}
	return problem.Detail
}

// text shows both sides for a failure message, with tokens and secrets masked, and what
// mask hides before a body is cut: half of a secret would not be found.
func (x *exchange) text(mask func(string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "> %s %s\n", x.method, beginningOf(x.url, mask))
	writeHeader(&b, ">", x.sent, mask)
	writeBody(&b, ">", control.MaskForm(string(x.request[:min(len(x.request), maxShown+reach)])), mask)
	fmt.Fprintf(&b, "< %d %s\n", x.status, http.StatusText(x.status))
	writeHeader(&b, "<", x.header, mask)
	writeBody(&b, "<", maskToken(x.body), mask)
	return mask(b.String())
}

// once is text, made once: thousands of expectations may fail of one exchange.
func (x *exchange) once(mask func(string) string) string {
	if x.shown == "" {
		x.shown = x.text(mask)
	}
	return x.shown
}

func writeHeader(b *strings.Builder, side string, h http.Header, mask func(string) string) {
	h = control.MaskHeader(h)
	h.Del(guard.TestHeader) // it is the report's own
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	left := room(maxShownHeaders)
	for i, name := range names {
		value := beginningOf(strings.Join(h[name], ", "), mask)
		if left.take(len(name)+len(value)) != nil {
			fmt.Fprintf(b, "%s %s and %d more headers\n", side, ellipsis, len(names)-i)
			return
		}
		fmt.Fprintf(b, "%s %s: %s\n", side, name, value)
	}
}

// maxShown is how much of a body, of a header or of a URL a message shows, and
// maxShownHeaders how much of all headers.
const (
	maxShown        = 2000
	maxShownHeaders = 4 * maxShown
)

func writeBody(b *strings.Builder, side, body string, mask func(string) string) {
	if body == "" {
		return
	}
	fmt.Fprintf(b, "%s %s\n", side, strings.ReplaceAll(beginningOf(body, mask), "\n", "\n"+side+" "))
}

// beginningOf is as much of a text as a message shows, without what mask hides.
func beginningOf(text string, mask func(string) string) string {
	if len(text) > maxShown {
		text = mask(text[:min(maxShown+reach, len(text))]) // what begins in what is shown ends there
	}
	return cutOff(text, maxShown)
}

// maskToken hides the token of a token answer.
func maskToken(body []byte) string {
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.AccessToken == "" {
		return string(body)
	}
	return strings.ReplaceAll(string(body), answer.AccessToken, "***")
}
