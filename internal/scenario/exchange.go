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
	fmt.Fprintf(&b, "> %s %s\n", x.method, x.url)
	writeHeader(&b, ">", x.sent)
	writeBody(&b, ">", control.MaskForm(string(x.request)), mask)
	fmt.Fprintf(&b, "< %d %s\n", x.status, http.StatusText(x.status))
	writeHeader(&b, "<", x.header)
	writeBody(&b, "<", maskToken(x.body), mask)
	return mask(b.String())
}

func writeHeader(b *strings.Builder, side string, h http.Header) {
	h = control.MaskHeader(h)
	h.Del(guard.TestHeader) // it is the report's own
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(b, "%s %s: %s\n", side, name, strings.Join(h[name], ", "))
	}
}

// maxShown is how much of a body a message shows.
const maxShown = 2000

func writeBody(b *strings.Builder, side, body string, mask func(string) string) {
	if body == "" {
		return
	}
	if len(body) > maxShown {
		body = mask(body[:min(maxShown+reach, len(body))]) // what begins in what is shown ends there
	}
	if len(body) > maxShown {
		body = body[:maxShown] + "…"
	}
	fmt.Fprintf(b, "%s %s\n", side, strings.ReplaceAll(body, "\n", "\n"+side+" "))
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
