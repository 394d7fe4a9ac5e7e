package postgres

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/internal/share"
)

// TestRowsOfOthersAreReadInBounds: who may write into the database may write what no
// program of ours does, and more than fits in memory.
func TestRowsOfOthersAreReadInBounds(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	execute := func(sql string, args ...any) {
		t.Helper()
		_, err := s.pool.Exec(ctx, sql, args...)
		require.NoError(t, err)
	}
	key := share.Sum([]byte("the request"))
	text := []byte("an answer")
	good := share.Answer{
		Hash: share.Sum(text), Key: key, Operation: "post-hscode-classify", Environment: "sandbox", State: "answer",
		Entry: "spend-1", BoughtAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Bytes: int64(len(text)), Text: text,
	}
	require.NoError(t, s.ShareAdd(ctx, good, 0))
	long := "repeat('x', 3000000)"
	execute("UPDATE hsharness.answer SET operation = " + long + ", environment = " + long + ", entry = " + long + ", bought_at = 'infinity'")
	execute("ALTER TABLE hsharness.answer DROP CONSTRAINT answer_check, DROP CONSTRAINT answer_state_check")
	execute("UPDATE hsharness.answer SET bytes = 1, state = " + long)
	found, err := s.ShareOf(ctx, key, time.Time{})
	require.NoError(t, err, "a time that never comes is one")
	require.Len(t, found, 1)
	assert.Equal(t, text, found[0].Text)
	assert.Equal(t, int64(len(text)), found[0].Bytes, "what it is, not what the row says")
	for _, read := range []string{found[0].Operation, found[0].Environment, found[0].Entry, found[0].State} {
		assert.LessOrEqual(t, len(read), 256)
	}
	execute("UPDATE hsharness.answer SET content = $1", bytes.Repeat([]byte{'x'}, share.Largest+1))
	for range 2 { // by its key, and as one of many
		require.Len(t, found, 1)
		found, err = s.ShareOf(ctx, key, time.Time{})
		require.NoError(t, err)
		assert.Nil(t, found[0].Text)
		assert.EqualValues(t, share.Largest+1, found[0].Bytes)
	}
	execute("UPDATE hsharness.answer SET hash = " + "repeat('x', 100000)")
	listed, err := s.ShareList(ctx, time.Time{})
	require.NoError(t, err)
	assert.Len(t, listed[0].Hash, 65, "enough to see that it is none")
}

// TestAClaimantOfOthersIsReadInBounds: nor is what it wrote into a claim told whole.
func TestAClaimantOfOthersIsReadInBounds(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	_, err := s.pool.Exec(t.Context(), `INSERT INTO hsharness.purchase (key, holder, host, pid, process_start, until)
		SELECT 'k', long, long, 7, long, 'infinity' FROM (SELECT repeat('x', 3000000) AS long) AS texts`)
	require.NoError(t, err)
	over, end := context.WithCancel(t.Context())
	end()
	_, err = s.ShareClaim(over, "k")
	var held *share.HeldError
	require.ErrorAs(t, err, &held)
	assert.Len(t, held.Holder, len("process 7 on ")+256)
	_, by, err := s.claim(t.Context(), "k", "me", "")
	require.NoError(t, err)
	assert.Len(t, by.holder, 64)
	assert.Len(t, by.process.Start, 256)
}

func TestMoreThanAnybodyBoughtIsNotRead(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newStore(t, Config{DSN: pgtest.Database(t) + "&statement_timeout=2min"}) // 70 MB on a busy disk
	key := share.Sum([]byte("the request"))
	fill := func(key string, rows, bytes int) {
		t.Helper()
		const atOnce = 10_000 // a statement has its time
		for from := 1; from <= rows; from += atOnce {
			_, err := s.pool.Exec(ctx, `INSERT INTO hsharness.answer (hash, key, operation, environment, state, entry, bought_at, bytes, content)
				SELECT encode(sha256(c), 'hex'), $1, 'x', 'sandbox', 'answer', '', now(), length(c), c
				FROM (SELECT convert_to(repeat('x', $4) || $1 || n, 'UTF8') AS c FROM generate_series($2::int, $3) AS n) AS made`, key, from, min(rows, from+atOnce-1), bytes)
			require.NoError(t, err)
		}
	}
	fill(key, 17, share.Largest-100)
	_, err := s.ShareOf(ctx, key, time.Time{})
	var tooMuch *share.TooMuchError
	require.ErrorAs(t, err, &tooMuch)
	assert.EqualValues(t, 17, tooMuch.Answers)
	assert.Greater(t, tooMuch.Bytes, int64(share.MostOfKey))
	assert.Contains(t, tooMuch.Look, "key = '"+key+"'")
	_, err = s.ShareRead(ctx, hashes(t, s))
	require.ErrorAs(t, err, &tooMuch)

	other := share.Sum([]byte("another request"))
	fill(other, share.MostOfKey/share.RowBytes, 1)
	_, err = s.ShareOf(ctx, other, time.Time{})
	require.ErrorAs(t, err, &tooMuch, "short ones take room as well")
	fill("'; DROP TABLE x; --", share.MostListed-10, 1)
	_, err = s.ShareOf(ctx, "'; DROP TABLE x; --", time.Time{})
	require.ErrorAs(t, err, &tooMuch)
	assert.NotContains(t, tooMuch.Look, "DROP")
	_, err = s.ShareList(ctx, time.Time{})
	require.ErrorAs(t, err, &tooMuch)
	assert.EqualValues(t, share.MostListed, tooMuch.Answers)
}

// hashes are those of all that is shared.
func hashes(t *testing.T, s *store) (all []string) {
	t.Helper()
	listed, err := s.ShareList(t.Context(), time.Time{})
	require.NoError(t, err)
	for _, a := range listed {
		all = append(all, a.Hash)
	}
	return all
}

// TestRemovalIsOfOneAnswer: what a person is to type holds nothing that another wrote.
func TestRemovalIsOfOneAnswer(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{DSN: pgtest.Database(t)})
	sum := share.Sum([]byte("x"))
	assert.Equal(t, `DELETE FROM "hsharness".answer WHERE hash = '`+sum+`'`, s.ShareRemoval(sum))
	for _, odd := range []string{"", "x", sum + "0", sum[:62] + "';", strings.ToUpper(sum) + "'"} {
		assert.Equal(t, `DELETE FROM "hsharness".answer WHERE hash !~ '^[0-9a-f]{64}$'`, s.ShareRemoval(odd), fmt.Sprint("of ", odd))
	}
}
