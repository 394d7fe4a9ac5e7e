// Package share is what a ledger keeps of bought answers beside its journal, for
// machines that have no folder in common. It is nothing but types: a ledger that can
// share implements [Store], and internal/recording is who asks it. It touches nothing.
//
// Accounting knows nothing of it: an answer that is lost here never frees a unit, and
// one that is found here never costs one.
package share

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Largest is the longest answer that is shared, in bytes of its text. What is longer
// stays in the folder of who bought it.
const Largest = 4 << 20

// MostOfKey is how many bytes the texts of one key are read at most, each with [RowBytes]
// more, and MostListed how many answers are listed: whoever may write into the database may
// have written more than fits in the memory of who asks.
const (
	MostOfKey  = 64 << 20
	RowBytes   = 1 << 10
	MostListed = 100_000
)

// Answer is one take of a recording, as it is shared.
type Answer struct {
	// Hash is the SHA-256 of Text, in hexadecimal: the same purchase is kept once.
	Hash string
	// Key is that of the recording, and Operation the folder that it is in.
	Key, Operation string
	// Environment is the service that was asked, such as sandbox.
	Environment string
	// State is answer, evidence or pending. It is not in Text: it changes when what
	// is pending is accepted.
	State string
	// Entry is the ledger's id of the spend that bought it, empty at no cost.
	Entry    string
	BoughtAt time.Time
	// Bytes is how long Text is. Text is nil in a list, and of an answer that is longer
	// than [Largest].
	Bytes int64
	Text  []byte
}

// Sum is the hash of a text.
func Sum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Store is a ledger that can share answers. Its methods may be called concurrently. An
// error of them that is none of this package means that the share can't be asked: then
// nothing may be bought.
type Store interface {
	// ShareClaim waits until no other process buys the answer of a key, and claims
	// it. The claim ends with release, with its process, or half a minute after its
	// connection was lost. It says who buys and authorizes nothing: that is the
	// spend's part. When ctx ends first the error is a [*HeldError].
	ShareClaim(ctx context.Context, key string) (release func(), err error)
	// ShareOf returns what is shared for a key and was bought since then. Where that is
	// more than [MostOfKey] the error is a [*TooMuchError].
	ShareOf(ctx context.Context, key string, since time.Time) ([]Answer, error)
	// ShareList returns all that was bought since then, by key and time, without
	// texts. Where that is more than [MostListed] the error is a [*TooMuchError].
	ShareList(ctx context.Context, since time.Time) ([]Answer, error)
	// ShareRead returns those of the answers that are there, up to [MostOfKey] as ShareOf.
	ShareRead(ctx context.Context, hashes []string) ([]Answer, error)
	// ShareAdd adds an answer. Of one that is there it lets a pending state become
	// what it is now, and changes nothing else. Where all would have more bytes than
	// most the error is a [*FullError]; 0 is no limit.
	ShareAdd(ctx context.Context, a Answer, most int64) error
	// ShareTrim removes what was bought before then, and says how much that was.
	ShareTrim(ctx context.Context, before time.Time) (int64, error)
	// ShareRemoval is the statement by which the owner of the database takes out an
	// answer that is not what its hash says: no program does.
	ShareRemoval(hash string) string
}

// TooMuchError says that more is shared than anybody bought: nothing of it is read.
type TooMuchError struct {
	// Of is what has too much, such as a key; Answers and Bytes are what there is, and
	// Bytes is 0 where only the answers are too many.
	Of             string
	Answers, Bytes int64
	// Look is the statement that shows it to the owner of the database.
	Look string
}

func (e *TooMuchError) Error() string {
	if e.Bytes == 0 {
		return fmt.Sprintf("%s: more than %d answers are shared, which are not read", e.Of, e.Answers)
	}
	return fmt.Sprintf("%s: %d answers of %d bytes are shared, and of %d at most are read", e.Of, e.Answers, e.Bytes, int64(MostOfKey))
}

// HeldError says that another process buys the answer for too long.
type HeldError struct {
	// Holder is which process that is.
	Holder string
	Waited time.Duration
	Cause  error
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("waited %s for the same answer, which %s buys: let that process go on, or end it", e.Waited.Round(10*time.Millisecond), e.Holder)
}

// Unwrap is why it was not waited for any longer.
func (e *HeldError) Unwrap() error { return e.Cause }

// FullError says that an answer is not shared because the share has no room for it.
type FullError struct {
	// Bytes are the answer's, Used those of all that is shared, and Most the limit.
	Bytes, Used, Most int64
}

func (e *FullError) Error() string {
	return fmt.Sprintf("the answer of %d bytes is kept in the folder only: the share has %d bytes of the %d that recordings.max_size allows", e.Bytes, e.Used, e.Most)
}

// LargeError says that an answer is too long to be shared.
type LargeError struct{ Bytes int64 }

func (e *LargeError) Error() string {
	return fmt.Sprintf("the answer of %d bytes is kept in the folder only: %d at most are shared", e.Bytes, int64(Largest))
}
