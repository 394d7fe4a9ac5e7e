// Package bounded serves HTTP so that no caller can take more of a process than
// its share: not with bodies that never end, headers that come byte by byte,
// answers that nobody reads, or connections that do nothing. All servers of the
// module are [Servers]; what holds for those that share a [Gate] are its [Limits].
//
// It may touch the standard library only.
package bounded

import (
	"cmp"
	"time"
)

// Limits bound what callers can take. A zero field is the one of [Defaults].
type Limits struct {
	// Body is how long a request's body may be, in bytes.
	Body int64
	// Memory is how much all bodies together may take while they are read and
	// answered, in bytes, beside the first 16 KiB of each; and as much again is for
	// long answers, see [Answer]. One that does not fit waits.
	Memory int64
	// Connections is how many there may be at a time, and never more than half the
	// files that the process may open. When there are as many, the one whose caller
	// was waited for the longest makes room, and one that had no time yet for its
	// first request only where no other can; one whose request is being worked on, or
	// whose answer is being read, never does.
	Connections int
	// HeaderTime is how long a caller may take to send a request's headers, and
	// BodyTime its body; AnswerTime is how long it may take to read the answer, and
	// IdleTime how long a connection may stay open between two requests.
	HeaderTime, BodyTime, AnswerTime, IdleTime time.Duration
}

// MaxBody is the longest body that the service itself takes, in bytes.
const MaxBody = 30_000_000

// Defaults are the limits that hold where nothing is said.
func Defaults() Limits {
	return Limits{
		Body: MaxBody, Memory: 32 << 20, Connections: 600,
		HeaderTime: 10 * time.Second, BodyTime: 30 * time.Second, AnswerTime: 30 * time.Second, IdleTime: 2 * time.Minute,
	}
}

const (
	// freeBody is how much of each body needs no memory of the common one, so that
	// ordinary requests never wait for large ones.
	freeBody = 16 << 10
	// maxHeader is how long the headers of a request may be, in bytes.
	maxHeader = 16 << 10
	// leftover is how long the rest of a body that nobody wants may take to arrive,
	// so that the connection can be used again.
	leftover = 500 * time.Millisecond
	// maxUnwanted is how much of it is read, in bytes, as net/http does for HTTP/1.
	maxUnwanted = 256 << 10
	// stalled is how long a large body may make no progress, or an answer be read,
	// while others wait for the room.
	stalled = time.Second
	// ending is how long a connection whose answer is made is waited for, before a
	// fresh one makes room in its place.
	ending = stalled / 10
	// maxStreams is how many requests there may be on a connection at a time, where
	// HTTP/2 allows several: each has headers. maxUnread is how many bytes of their
	// bodies are taken before somebody reads them.
	maxStreams = 32
	maxUnread  = 128 << 10
	// look is how often it is looked for those that stall.
	look = stalled / 4
)

// withDefaults fills in what is not said.
func (l Limits) withDefaults() Limits {
	d := Defaults()
	l.Body, l.Memory, l.Connections = cmp.Or(l.Body, d.Body), cmp.Or(l.Memory, d.Memory), cmp.Or(l.Connections, d.Connections)
	l.HeaderTime, l.BodyTime = cmp.Or(l.HeaderTime, d.HeaderTime), cmp.Or(l.BodyTime, d.BodyTime)
	l.AnswerTime, l.IdleTime = cmp.Or(l.AnswerTime, d.AnswerTime), cmp.Or(l.IdleTime, d.IdleTime)
	return l
}
