package mockapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bearer"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/mockidp/control"
)

// The longest request body that is read, and how much of it the journal gets,
// in bytes. The service's own limit is unknown.
const (
	maxBody     = 1 << 20
	journalBody = 4 << 10
)

// endpoint is the name of every operation in a fault's On field.
const endpoint = "api"

// host is one API host of a Server.
type host struct {
	*Server
	api     avalara.API
	name    string
	checker bearer.Checker
}

// call is one request as the operations see it.
type call struct {
	account string
	// company and id are the path's parameters, on the managed host only.
	company, id string
	contentType []string
	// accept is Accept-Language, and query the raw query.
	accept, query string
	body          []byte
	bodyErr       error
}

// ServeHTTP reads the request, lets a fault strike and writes the journal. The
// token is looked at first because a fault may be for one client or scope.
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, refuse := h.authenticate(r)
	var body []byte
	var err error
	if r.Body != nil { // nil only where a test calls the handler itself
		most := int64(maxBody)
		if refuse != nil { // of those who may not ask, no more is read than is kept
			most = journalBody
		}
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	}
	fault := h.faults.Next(control.Call{Endpoint: endpoint, Client: token.ClientID, Scopes: token.Scopes})
	sw := &statusWriter{ResponseWriter: w}
	defer func() {
		h.journal.Record(control.Entry{
			Time: h.clock.Now(), Service: h.name, Endpoint: endpoint,
			Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header,
			Body:   string(body[:min(len(body), journalBody)]),
			Client: token.ClientID, Status: sw.status, Faulted: fault != nil,
		})
	}()
	c := &call{account: h.state.known(token.ClientID), contentType: r.Header.Values("Content-Type"), accept: r.Header.Get("Accept-Language"), query: r.URL.RawQuery, body: body, bodyErr: err}
	fault.Serve(sw, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Correlation-Id", correlationID(r.Header.Get("X-Correlation-Id")))
		method, serve := h.operation(r.Method, r.URL.EscapedPath(), c)
		var over *bounded.Error
		switch {
		case serve == nil:
			w.WriteHeader(http.StatusNotFound)
		case r.Method != method:
			w.Header().Set("Allow", method)
			w.WriteHeader(http.StatusMethodNotAllowed)
		case refuse != nil:
			refuse(w)
		case errors.As(err, &over): // a limit of who serves here, and no fault of the JSON
			http.Error(w, over.Text, over.Status)
		default:
			rep, ok := h.withinRate(c.account)
			if ok {
				rep = serve(c)
			}
			rep.write(w, h.bare)
		}
	}))
}

// operation finds what serves a path and by which method, that which was asked for if any,
// nil when nothing does, and puts the path's parameters into c. Paths are matched byte by byte
// and never redirected.
func (h *host) operation(asked, path string, c *call) (method string, serve func(*call) reply) {
	switch h.api {
	case avalara.Current, avalara.Legacy:
		method, serve := h.learnedOperation(asked, path)
		if own := h.automated(path); serve == nil || method != asked && own != nil {
			return http.MethodPost, own // one that was learned by another method does not take its place
		}
		return method, serve
	case avalara.Managed:
		var ok bool
		switch c.company, c.id, ok = managedPath(path); {
		case !ok:
		case c.id == "":
			return http.MethodPost, h.createManaged
		default:
			return http.MethodGet, h.readManaged
		}
	}
	return "", nil
}

// jsonBody checks what every POST must have: the content type, the size and a
// body that decodes into v, with nothing after it. When it returns false the
// reply is the answer. Go's decoder matches names by any case, as ASP.NET's
// does.
func (c *call) jsonBody(v any) (reply, bool) {
	rep, ok := c.jsonValue(v)
	if ok && !isObject(c.body) {
		return failure(http.StatusBadRequest, targetRequest, problem(avalara.ModelStateInvalid, "")), false
	}
	return rep, ok
}

// jsonValue is jsonBody for a body that may be any value.
func (c *call) jsonValue(v any) (reply, bool) {
	if rep, ok := c.jsonType(); !ok {
		return rep, false
	}
	var tooLarge *http.MaxBytesError
	if errors.As(c.bodyErr, &tooLarge) {
		return failure(http.StatusRequestEntityTooLarge, targetRequest, problem(avalara.RequestTooLarge, "")), false
	}
	if c.bodyErr != nil || json.Unmarshal(c.body, v) != nil {
		return failure(http.StatusBadRequest, targetRequest, problem(avalara.ModelStateInvalid, "")), false
	}
	return reply{}, true
}

// jsonType refuses a content type other than application/json.
func (c *call) jsonType() (reply, bool) {
	media, _, err := mime.ParseMediaType(strings.Join(c.contentType, ","))
	if err == nil && media == "application/json" {
		return reply{}, true
	}
	return failure(http.StatusUnsupportedMediaType, targetHeaders, problem(avalara.UnsupportedMediaType, "")), false
}

// spend takes n units. When it returns false the reply is the answer.
func (h *host) spend(account string, n int) (reply, bool) {
	return h.counted(h.state.take(account, int64(n)))
}

// counted tells what came of counting units.
func (h *host) counted(ok bool, err error) (reply, bool) {
	switch {
	case err != nil:
		return failed(err), false
	case !ok:
		return h.exhausted, false
	}
	return reply{}, true
}

// failed answers what is the mock's own trouble, not the service's.
func failed(err error) reply {
	return reply{status: http.StatusInternalServerError, body: map[string]string{"message": err.Error()}}
}

// statusWriter remembers the status for the journal: zero when the connection
// was dropped without an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// isObject tells whether body is meant as a JSON object.
func isObject(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && body[0] == '{'
}
