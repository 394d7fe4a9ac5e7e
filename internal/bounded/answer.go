package bounded

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// writer is the answer, which has to be read within the limits.
type writer struct {
	http.ResponseWriter
	gate    *Gate
	request *request
	control *http.ResponseController
	body    *body // nil without one
	once    sync.Once

	mu    sync.Mutex // of the share: what is bought may go on when the handler is done
	share *share     // of the memory of answers; nil for an ordinary one
	over  bool
}

// Unwrap is for [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *writer) WriteHeader(status int) {
	if status >= http.StatusOK { // 1xx are not the answer yet
		w.answering()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *writer) Write(p []byte) (int, error) {
	w.answering()
	share := w.large()
	if share == nil {
		return w.ResponseWriter.Write(p)
	}
	// A part at a time, to see whether the caller takes it.
	written := 0
	for written < len(p) {
		share.stalls.Store(time.Now().UnixNano())
		n, err := w.ResponseWriter.Write(p[written:min(written+part, len(p))])
		share.stalls.Store(0)
		if written += n; err != nil {
			return written, err
		}
	}
	return written, nil
}

// answering waits for the caller to take the answer, from its first byte on. The
// rest of a body that was not wanted has little time left: net/http reads some of
// it before it answers.
func (w *writer) answering() {
	w.once.Do(func() {
		now := time.Now()
		_ = w.control.SetWriteDeadline(now.Add(w.gate.limits.AnswerTime)) // it fails where there is no connection
		if w.body != nil && w.body.err != io.EOF {                        //nolint:errorlint // as net/http says it
			_ = w.control.SetReadDeadline(now.Add(leftover))
		}
		w.gate.answers(w.request)
	})
}

// part is how much of a large answer is written at a time, in bytes, and inFlight about
// how much of it the system takes before the caller reads. What the system takes by the
// megabyte goes on in steps of as much: a caller who reads all the time would seem to
// stall in between.
const (
	part     = 8 << 10
	inFlight = 64 << 10
)

// FreeAnswer is how long an answer may be that needs no memory of the common one, in
// bytes.
const FreeAnswer = 64 << 10

// answerKey finds the writer in a request's context.
type answerKey struct{}

// Room is ctx with the room that the answer to a request has, by the context of that.
func Room(ctx, request context.Context) context.Context {
	return context.WithValue(ctx, answerKey{}, request.Value(answerKey{}))
}

// Answer sets memory aside for an answer of more than [FreeAnswer] bytes, before it is
// read or made, and until it is written. The context is that of the request. It waits as
// long as a caller may take to read an answer, and meanwhile those that stall are cut
// off. The error is an [*Error], or that the context ended. Where no server has limits
// there is nothing to wait for. Of one request a second call changes nothing.
func Answer(ctx context.Context, bytes int64) error { return AnswerWithin(ctx, bytes, 0) }

// AnswerWithin is [Answer] with a time to wait of its own; 0 is that of Answer.
func AnswerWithin(ctx context.Context, bytes int64, most time.Duration) error {
	w, ok := ctx.Value(answerKey{}).(*writer)
	if !ok || bytes <= FreeAnswer || w.large() != nil {
		return ctx.Err()
	}
	s := &share{conn: w.request.conn}
	most = cmp.Or(most, w.gate.limits.AnswerTime)
	if !w.gate.replies.take(s, bytes, most) {
		return &Error{http.StatusServiceUnavailable, fmt.Sprintf("for %s there was no memory for an answer of this size: ask again", most)}
	}
	s.conn.takeLess()
	w.mu.Lock()
	w.share = s
	over := w.over
	w.mu.Unlock()
	if over || ctx.Err() != nil { // nobody waits for it any more
		w.release()
	}
	return ctx.Err()
}

func (w *writer) large() *share {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.share
}

// release gives the answer's share back: it is written, or not wanted.
func (w *writer) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over = true; w.share != nil {
		w.gate.replies.release(w.share)
	}
}
