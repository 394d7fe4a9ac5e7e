package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// answeringStore lets a run spend, and has these runs, or this error, when it is asked.
type answeringStore struct {
	quota.Store
	runs  []quota.RunInfo
	err   error
	asked []int
}

func (s *answeringStore) Begin(_ context.Context, spec quota.RunSpec, _ []quota.Rule) (quota.RunInfo, error) {
	return quota.RunInfo{RunSpec: spec}, nil
}

func (s *answeringStore) Spend(_ context.Context, spec quota.SpendSpec, _ ...quota.Settlement) (quota.Entry, error) {
	return quota.Entry{ID: spec.ID, Units: spec.Units}, nil
}

func (s *answeringStore) End(context.Context, string, quota.Counters) (quota.Entry, error) {
	return quota.Entry{}, nil
}

func (s *answeringStore) Runs(_ context.Context, most int) ([]quota.RunInfo, error) {
	s.asked = append(s.asked, most)
	if most > 0 {
		return s.runs[:min(most, len(s.runs))], s.err
	}
	return s.runs, s.err
}

// A run has spent what its ledger let it spend, at least: one that counts less or has no such
// run went back, and one that can't be asked, or says so itself, is no reason to tell of less.
func TestCountedIsNeverLess(t *testing.T) {
	t.Parallel()
	cut := errors.New("cut off")
	of := func(id string, spent int64) quota.RunInfo {
		return quota.RunInfo{RunSpec: quota.RunSpec{ID: id}, Spent: spent}
	}
	older := make([]quota.RunInfo, 150)
	for name, row := range map[string]struct {
		store answeringStore
		spent int64
		want  error
	}{
		"as much":           {answeringStore{runs: []quota.RunInfo{of("b", 9), of("a", 3)}}, 3, nil},
		"more":              {answeringStore{runs: []quota.RunInfo{of("a", 4)}}, 4, nil},
		"behind many":       {answeringStore{runs: append(older, of("a", 3))}, 3, nil},
		"less":              {answeringStore{runs: []quota.RunInfo{of("a", 2)}}, 3, quota.ErrWentBack},
		"less, behind many": {answeringStore{runs: append(older, of("a", 2))}, 3, quota.ErrWentBack},
		"no such run":       {answeringStore{runs: []quota.RunInfo{of("b", 9)}}, 3, quota.ErrWentBack},
		"says so itself":    {answeringStore{err: quota.ErrWentBack}, 3, quota.ErrWentBack},
		"out of reach":      {answeringStore{err: cut}, 3, cut},
	} {
		client := quota.Client{Store: &row.store, Loopback: true, Ticks: func() (<-chan time.Time, func()) { return nil, func() {} }}
		run, err := client.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 5}, nil)
		require.NoError(t, err, name)
		_, err = run.Spend(t.Context(), quota.SpendSpec{ID: "1", Units: 3})
		require.NoError(t, err, name)
		info, err := session.Counted(t.Context(), &row.store, run, 7)
		most := row.spent // a ledger that counts well is right
		if row.want != nil {
			most = 7 // else the guard, which counts more
		}
		require.ErrorIs(t, err, row.want, name)
		assert.Equal(t, most, info.Spent, name)
		info, err = session.Counted(t.Context(), &row.store, run, 0)
		require.ErrorIs(t, err, row.want, name)
		if errors.Is(row.want, cut) {
			require.NotErrorIs(t, err, quota.ErrWentBack, name)
		}
		assert.Equal(t, row.spent, info.Spent, name)
		_, err = run.End(t.Context(), quota.Counters{})
		require.NoError(t, err, name)
	}
}

// Of several runs each is compared, and no more is read of a ledger than has them.
func TestCountsOfSeveralRuns(t *testing.T) {
	t.Parallel()
	of := func(id string, spent int64) quota.RunInfo {
		return quota.RunInfo{RunSpec: quota.RunSpec{ID: id}, Spent: spent}
	}
	runs := append(append([]quota.RunInfo{of("new", 1)}, make([]quota.RunInfo, 150)...), of("old", 2))
	runs = append(runs, make([]quota.RunInfo, 2000)...)
	for name, row := range map[string]struct {
		let   []quota.RunInfo
		says  string // empty where all are counted
		asked []int
	}{
		"none":             {nil, "", []int{100}},
		"the latest":       {[]quota.RunInfo{of("new", 1)}, "", []int{100}},
		"an older one too": {[]quota.RunInfo{of("new", 1), of("old", 2)}, "", []int{100, 1600}},
		"one of less":      {[]quota.RunInfo{of("new", 1), of("old", 3)}, "run old: ", []int{100, 1600}},
		"one that is not":  {[]quota.RunInfo{of("gone", 1), of("new", 1)}, "run gone: ", []int{100, 1600, 25_600}},
		"several":          {[]quota.RunInfo{of("gone", 1), of("new", 2), of("old", 3)}, "and has no such run, and 2 more such runs", []int{100, 1600, 25_600}},
		"one let nothing":  {[]quota.RunInfo{of("gone", 0), of("new", 1)}, "", []int{100, 1600, 25_600}},
	} {
		store := &answeringStore{runs: runs}
		err := session.Counts(t.Context(), store, row.let...)
		if row.says == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, quota.ErrWentBack, name)
			require.ErrorContains(t, err, row.says, name)
		}
		assert.Equal(t, row.asked, store.asked, name)
	}
	cut := errors.New("cut off")
	require.ErrorIs(t, session.Counts(t.Context(), &answeringStore{err: cut}, of("a", 1)), cut)
}
