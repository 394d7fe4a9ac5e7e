package control

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// Serve answers r as f says, with next doing the real work. A nil f is next
// alone. [Fault.Token] is not looked at: it belongs to whoever makes tokens.
//
// A dropped or truncated connection ends in panic(http.ErrAbortHandler), which
// net/http turns into a closed connection.
func (f *Fault) Serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if f == nil {
		next.ServeHTTP(w, r)
		return
	}
	if !f.After {
		f.wait(r)
	}
	if f.before() {
		f.answer(w, nil)
		return
	}
	if !f.spoils() {
		next.ServeHTTP(w, r)
		return
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(rec, r)
	if f.After {
		f.wait(r)
	}
	f.answer(w, rec)
}

// wait sits out the latency, or gives the connection up with its client.
func (f *Fault) wait(r *http.Request) {
	if f.Latency <= 0 {
		return
	}
	timer := time.NewTimer(time.Duration(f.Latency))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// spoils tells whether the real answer must be held back and changed.
func (f *Fault) spoils() bool {
	return f.Truncate > 0 || f.MalformedJSON || f.ContentType != "" || len(f.Headers) > 0 || f.After
}

// answer writes the fault's own answer, on top of the real one if there is one.
func (f *Fault) answer(w http.ResponseWriter, real *recorder) {
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
	status, body := f.Status, []byte(f.Body)
	if real != nil {
		for name, values := range real.header {
			w.Header()[name] = values
		}
		if status == 0 {
			status = real.status
		}
		if f.Body == "" && f.Status == 0 {
			body = real.body.Bytes()
		}
	}
	if status == 0 {
		status = http.StatusInternalServerError
	}
	if f.MalformedJSON && len(body) > 0 {
		body = body[:len(body)-1]
	}
	if f.ContentType != "" {
		w.Header().Set("Content-Type", f.ContentType)
	}
	for name, value := range f.Headers {
		w.Header().Set(name, value)
	}
	// A fault's answer always says its length; a chunked one could not be told
	// from a whole one once it is cut.
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if f.Truncate > 0 && f.Truncate < len(body) {
		_, _ = w.Write(body[:f.Truncate])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// recorder holds an answer back so that it can be spoiled.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
