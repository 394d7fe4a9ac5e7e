package bounded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Error is why a body was not read whole, with the status that says so.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return e.Text }

// Reason says why a body could not be read, and by which status: 413 for one that
// is too long, 408 for one that came too slowly, 503 where there was no memory for it,
// else 400.
func Reason(err error) (status int, text string) {
	var bounded *Error
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &bounded):
		return bounded.Status, bounded.Text
	case errors.As(err, &long):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("the request's body is longer than %d bytes", long.Limit)
	}
	return http.StatusBadRequest, "the request's body could not be read"
}

// handler is h behind the limits.
func (g *Gate) handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Context().Value(connKey{}).(*conn)
		one := g.begins(c)
		defer g.waits(one) // also where what it read last was for us to work on
		out := &writer{ResponseWriter: w, gate: g, request: one, control: http.NewResponseController(w)}
		// net/http looks at the body of the original when the answer is written
		in := r.WithContext(context.WithValue(r.Context(), answerKey{}, out))
		if r.Body != nil && r.Body != http.NoBody {
			out.body = &body{ReadCloser: r.Body, gate: g, request: one, share: share{conn: c}, declared: r.ContentLength, control: out.control}
			in.Body = out.body
			defer g.memory.release(&out.body.share)
		}
		defer out.release()
		defer out.answering() // what is still to be written, and the next request, are the caller's
		h.ServeHTTP(out, in)
		if r.ProtoMajor > 1 && out.body != nil {
			out.answering()
			// An answer ends as the handler does, and a caller who is told to send no more takes
			// that for a failure: curl has no answer then. It costs HTTP/1 as much.
			_, _ = io.CopyN(io.Discard, r.Body, maxUnwanted)
		}
		g.ends(c)
	})
}

// body is a request's body, read within the limits.
type body struct {
	io.ReadCloser
	share
	gate     *Gate
	request  *request
	control  *http.ResponseController
	declared int64 // -1 where it is not known
	read     int64
	err      error // the end of it
	begun    bool
	large    bool // it has a share of the memory
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err == nil && !b.begun {
		b.begin()
	}
	if b.err == nil && b.read >= freeBody && !b.large {
		b.grow()
	}
	if b.err != nil {
		return 0, b.err
	}
	if !b.large {
		p = p[:min(int64(len(p)), freeBody-b.read)]
	}
	b.stalls.Store(time.Now().UnixNano())
	n, err := b.ReadCloser.Read(p)
	b.stalls.Store(0)
	b.read += int64(n)
	switch {
	case b.read > b.gate.limits.Body:
		err = &http.MaxBytesError{Limit: b.gate.limits.Body}
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = &Error{http.StatusRequestTimeout, fmt.Sprintf("the request's body did not arrive within %s", b.gate.limits.BodyTime)}
	}
	if err != nil {
		b.end(err)
	}
	return n, err
}

// begin waits for the caller from now on.
func (b *body) begin() {
	b.begun = true
	if b.declared > b.gate.limits.Body {
		b.err = &http.MaxBytesError{Limit: b.gate.limits.Body} // refused unread
		return
	}
	b.limitTime()
}

func (b *body) limitTime() {
	_ = b.control.SetReadDeadline(time.Now().Add(b.gate.limits.BodyTime)) // it fails where there is no connection
	b.gate.waits(b.request)
}

// grow gets the body its share of the memory, before more of it is read.
func (b *body) grow() {
	most := b.declared
	if most < 0 {
		most = b.gate.limits.Body
	}
	b.gate.works(b.request) // the caller can do nothing about it
	if !b.gate.memory.take(&b.share, most-freeBody, b.gate.limits.BodyTime) {
		b.end(&Error{http.StatusServiceUnavailable, fmt.Sprintf("for %s there was no memory for a body of this size: ask again", b.gate.limits.BodyTime)})
		return
	}
	b.large = true
	b.limitTime()
}

func (b *body) end(err error) {
	b.err = err
	b.gate.works(b.request)
}
