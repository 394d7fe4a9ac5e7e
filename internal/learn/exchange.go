package learn

import (
	"net/url"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/recording"
)

// exchange is one recording as the learner sees it.
type exchange struct {
	key           string
	values, bytes int // of both bodies
	at            time.Time
	elapsed       int64
	status        int
	headers       http
	language      string
	query         url.Values
	request       shape.Value
	requestJSON   bool
	answer        shape.Value
	answerIsJSON  bool
	answerIsEmpty bool
	refused       shape.Value // the item of a batch for which it was refused
}

// http are headers by canonical name.
type http map[string][]string

func newExchange(r *recording.Recording, take *recording.Take) *exchange {
	e := &exchange{
		key: r.Key, at: take.RecordedAt.UTC(), elapsed: take.ElapsedMS, status: take.Response.Status,
		headers: http(take.Response.Header), answerIsEmpty: len(take.Response.Body) == 0,
		bytes: len(take.Request.Body) + len(take.Response.Body),
	}
	for _, body := range [][]byte{take.Request.Body, take.Response.Body} {
		values, _ := size(body)
		e.values += values
	}
	e.query, _ = url.ParseQuery(r.Inputs.Query)
	if list := r.Inputs.Headers["Accept-Language"]; len(list) > 0 {
		first, _, _ := strings.Cut(list[0], ",")
		first, _, _ = strings.Cut(first, ";")
		e.language = Language(first)
	}
	var err error
	e.request, err = shape.Parse(take.Request.Body)
	e.requestJSON = err == nil
	e.answer, err = shape.Parse(take.Response.Body)
	e.answerIsJSON = err == nil
	return e
}

// Language is the language of a tag such as de-AT.
func Language(tag string) string {
	tag, _, _ = strings.Cut(strings.TrimSpace(tag), "-")
	if tag == "*" {
		return ""
	}
	return strings.ToLower(tag)
}
