package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// mostMessage is how long a message of the server may be, in bytes: a shared answer as text,
// which is twice as long, and all else. What is longer is not read into memory.
const mostMessage = 16 << 20

// mostTexts is how long the texts of a row may be together, in bytes. No program of ours
// writes nearly as much.
const mostTexts = 256 << 10

// tooLongError is a row with more text than a ledger has.
type tooLongError struct {
	row   string
	bytes int
}

func (e *tooLongError) Error() string {
	return fmt.Sprintf("the texts of %s have %d bytes, want %d at most", e.row, e.bytes, mostTexts)
}

// fits is a [*tooLongError] where the texts of a row are too long. Of the name of the row the
// beginning is in it.
func fits(kind, name string, texts ...int) error {
	sum := len(name)
	for _, n := range texts {
		sum += n
	}
	if sum <= mostTexts {
		return nil
	}
	return &tooLongError{strings.TrimSpace(kind + " " + begins(name)), sum}
}

// begins is the beginning of a text that somebody else wrote.
func begins(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// largeSQL finds a row whose texts are too long, without reading them.
const largeSQL = `SELECT row, bytes FROM (
	SELECT 'entry ' || seq AS row, octet_length(operation) + octet_length(request_key) + octet_length(test) + octet_length(note) + coalesce(pg_column_size(detail), 0) AS bytes
		FROM hsharness.entry
	UNION ALL SELECT 'run ' || left(id, 200), octet_length(mode) + octet_length(suite) + octet_length(branch) + octet_length(commit_id) + octet_length(actor)
			+ octet_length(event) + octet_length(job_url) + octet_length(host) + octet_length(process_start) FROM hsharness.run
	UNION ALL SELECT 'the ledger', octet_length(id) + octet_length(account) + octet_length(allowance) + pg_column_size(home) FROM hsharness.ledger
	UNION ALL SELECT 'notice ' || left(id, 200), octet_length(why) + octet_length(claimed_by) FROM hsharness.notice
	UNION ALL SELECT 'purchase ' || left(key, 200), octet_length(holder) + octet_length(host) + octet_length(process_start) FROM hsharness.purchase) AS texts
	WHERE bytes > $1 LIMIT 1`

// large tells the error of a message that was too long to be read, and of a row with texts
// that are, and says which row that is. Nil is that it is neither.
func (s *store) large(ctx context.Context, err error) error {
	if long, ok := errors.AsType[*tooLongError](err); ok {
		return &damagedError{s.place, long.Error()}
	}
	message, ok := errors.AsType[*pgproto3.ExceededMaxBodyLenErr](err)
	if !ok {
		return nil
	}
	var long tooLongError
	if s.pool.QueryRow(ctx, largeSQL, mostTexts).Scan(&long.row, &long.bytes) == nil {
		return &damagedError{s.place, long.Error()}
	}
	return fmt.Errorf("ledger %s: the server sent a message of %d bytes, and no row of the ledger has as much", s.place, message.ActualBodyLen)
}
