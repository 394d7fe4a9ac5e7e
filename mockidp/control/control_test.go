package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp/control"
)

func TestClockAdvances(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := control.NewClock(func() time.Time { return start })
	require.NoError(t, c.Advance(66*time.Minute))
	require.NoError(t, c.Advance(-time.Minute))
	assert.Equal(t, start.Add(65*time.Minute), c.Now())
	assert.Equal(t, 65*time.Minute, c.Offset())

	var nothing *control.Clock
	assert.WithinDuration(t, time.Now(), nothing.Now(), time.Minute, "a nil clock tells the real time")
	assert.WithinDuration(t, time.Now(), new(control.Clock).Now(), time.Minute, "so does the zero clock")
}

// The time is an int64 of nanoseconds, and so is how far it was moved: both would wrap
// without a word.
func TestClockHasEnds(t *testing.T) {
	t.Parallel()
	c := control.NewClock(func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
	const year = 365 * 24 * time.Hour
	for _, sign := range []time.Duration{1, -1} {
		require.NoError(t, c.Advance(sign*99*year))
		for _, d := range []time.Duration{2 * year, 150 * year, 201 * year, math.MaxInt64} {
			assert.EqualError(t, c.Advance(sign*d), fmt.Sprintf("the clock is %s away from the real time, and %s more would take it further than it may be, 876000h0m0s (100 years)", sign*99*year, sign*d))
		}
		assert.Error(t, c.Advance(math.MinInt64))
		assert.Equal(t, sign*99*year, c.Offset(), "it stays where it is")
		require.NoError(t, c.Advance(-c.Offset()))
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for c.Advance(year) == nil {
			}
		})
	}
	wait.Wait()
	assert.Equal(t, 100*year, c.Offset(), "and many at once go no further")
}

// Faults are kept when they are used up, too.
func TestScriptIsBounded(t *testing.T) {
	t.Parallel()
	var s control.Script
	large := control.Fault{Status: 500, Body: strings.Repeat("x", 900_000)}
	for range 4 {
		require.NoError(t, s.Add(large))
	}
	err := s.Add(large)
	assert.EqualError(t, err, "the faults that are there have 3601024 bytes, and 900256 more would be more than 4194304, the most that all may have, used up or not: clear them first")
	require.Error(t, s.Add(control.Fault{Status: 500, Headers: map[string]string{"X": large.Body}}))
	require.Error(t, s.Add(control.Fault{Status: 500, Nth: slices.Repeat([]int{1}, 100_000)}))
	s.Clear()
	for range 1000 {
		require.NoError(t, s.Add(control.Fault{Status: 500}))
	}
	err = s.Add(control.Fault{Status: 500})
	assert.EqualError(t, err, "1000 faults are there, and 1 more would be more than 1000, the most there may be, used up or not: clear them first")
	assert.Len(t, s.List(), 1000)
	s.Clear()
	assert.NoError(t, s.Add(large))
}

func TestDurationText(t *testing.T) {
	var f control.Fault
	require.NoError(t, json.Unmarshal([]byte(`{"latency":"+66m"}`), &f))
	assert.Equal(t, 66*time.Minute, time.Duration(f.Latency))
	assert.Error(t, json.Unmarshal([]byte(`{"latency":"66"}`), &f), "a number without a unit")
}

// strikes tells for n calls of one endpoint which were struck.
func strikes(s *control.Script, n int, c control.Call) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = s.Next(c) != nil
	}
	return out
}

func TestScriptSchedules(t *testing.T) {
	tests := map[string]struct {
		fault control.Fault
		want  []bool
	}{
		"once unless it says otherwise": {control.Fault{Status: 503}, []bool{true, false, false, false}},
		"the first so many":             {control.Fault{Status: 503, Times: 2}, []bool{true, true, false, false}},
		"by number":                     {control.Fault{Status: 503, Nth: []int{2, 4}}, []bool{false, true, false, true}},
		"always":                        {control.Fault{Status: 503, Always: true}, []bool{true, true, true, true}},
		"never for another endpoint":    {control.Fault{Status: 503, On: "jwks", Always: true}, []bool{false, false, false, false}},
		"never for another client":      {control.Fault{Status: 503, Client: "b", Always: true}, []bool{false, false, false, false}},
		"for a scope among several":     {control.Fault{Status: 503, Scope: "y", Always: true}, []bool{true, true, true, true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var s control.Script
			require.NoError(t, s.Add(tt.fault))
			assert.Equal(t, tt.want, strikes(&s, 4, control.Call{Endpoint: "token", Client: "a", Scopes: []string{"x", "y"}}))
		})
	}
}

func TestScriptProbabilityIsRepeatable(t *testing.T) {
	run := func(seed uint64) []bool {
		var s control.Script
		require.NoError(t, s.Add(control.Fault{Status: 500, Probability: 0.5, Seed: seed}))
		return strikes(&s, 200, control.Call{})
	}
	assert.Equal(t, run(7), run(7))
	assert.NotEqual(t, run(7), run(8))
	n := 0
	for _, struck := range run(7) {
		if struck {
			n++
		}
	}
	assert.InDelta(t, 100, n, 40)
}

func TestScriptFirstMatchingFaultWinsAndOthersCount(t *testing.T) {
	var s control.Script
	require.NoError(t, s.Add(control.Fault{Status: 503}, control.Fault{Status: 429, Nth: []int{2}}))
	assert.Equal(t, 503, s.Next(control.Call{}).Status)
	assert.Equal(t, 429, s.Next(control.Call{}).Status, "the second call is the second call, whoever struck the first")
	s.Clear()
	assert.Nil(t, s.Next(control.Call{}))
}

func TestScriptFaultsThatStrikeOnceQueueUp(t *testing.T) {
	var s control.Script
	require.NoError(t, s.Add(control.Fault{Status: 503}, control.Fault{Status: 500, Times: 2}))
	var got []int
	for f := s.Next(control.Call{}); f != nil; f = s.Next(control.Call{}) {
		got = append(got, f.Status)
	}
	assert.Equal(t, []int{503, 500, 500}, got)
}

func TestScriptRefusesWhatDoesNothing(t *testing.T) {
	for _, f := range []control.Fault{
		{}, {Status: 42}, {Status: 500, Probability: 2}, {Status: 500, Probability: math.NaN()}, {Status: 500, Nth: []int{0}},
		{Token: "odd"}, {Status: 500, Times: -1}, {On: "api", Token: "expired"},
	} {
		var s control.Script
		assert.Error(t, s.Add(control.Fault{Status: 500}, f), "%+v", f)
		assert.Nil(t, s.Next(control.Call{}), "one bad fault must leave the script as it was")
	}
}

func serve(t *testing.T, f *control.Fault, worked *atomic.Bool) (*http.Response, []byte, error) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Serve(w, r, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			worked.Store(true)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"a":1}`)
		}))
	}))
	t.Cleanup(srv.Close)
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

func TestFaultBeforeLeavesTheWorkUndone(t *testing.T) {
	var worked atomic.Bool
	resp, body, err := serve(t, &control.Fault{Status: 429, Headers: map[string]string{"Retry-After": "1"}, Body: "slow down"}, &worked)
	require.NoError(t, err)
	assert.Equal(t, 429, resp.StatusCode)
	assert.Equal(t, "1", resp.Header.Get("Retry-After"))
	assert.Equal(t, "slow down", string(body))
	assert.False(t, worked.Load())
}

func TestFaultAfterSpoilsTheAnswerOnly(t *testing.T) {
	tests := map[string]struct {
		fault control.Fault
		check func(t *testing.T, resp *http.Response, body []byte, err error)
	}{
		"status": {control.Fault{Status: 502, After: true}, func(t *testing.T, resp *http.Response, body []byte, err error) {
			require.NoError(t, err)
			assert.Equal(t, 502, resp.StatusCode)
			assert.Empty(t, body)
		}},
		"drop": {control.Fault{Drop: true, After: true}, func(t *testing.T, _ *http.Response, _ []byte, err error) {
			assert.ErrorIs(t, err, io.EOF)
		}},
		"truncate": {control.Fault{Truncate: 3}, func(t *testing.T, resp *http.Response, body []byte, err error) {
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, `{"a`, string(body))
			assert.EqualValues(t, 7, resp.ContentLength)
		}},
		"malformed JSON": {control.Fault{MalformedJSON: true}, func(t *testing.T, _ *http.Response, body []byte, err error) {
			require.NoError(t, err)
			assert.False(t, json.Valid(body))
		}},
		"content type": {control.Fault{ContentType: "text/html"}, func(t *testing.T, resp *http.Response, body []byte, err error) {
			require.NoError(t, err)
			assert.Equal(t, "text/html", resp.Header.Get("Content-Type"))
			assert.Equal(t, `{"a":1}`, string(body))
		}},
		"headers win over those of the answer": {control.Fault{Headers: map[string]string{"Content-Type": "text/html"}}, func(t *testing.T, resp *http.Response, body []byte, err error) {
			require.NoError(t, err)
			assert.Equal(t, []string{"text/html"}, resp.Header["Content-Type"])
			assert.Equal(t, `{"a":1}`, string(body))
		}},
		"headers alone": {control.Fault{Headers: map[string]string{"X-A": "b"}}, func(t *testing.T, resp *http.Response, body []byte, err error) {
			require.NoError(t, err)
			assert.Equal(t, "b", resp.Header.Get("X-A"))
			assert.Equal(t, `{"a":1}`, string(body))
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var worked atomic.Bool
			resp, body, err := serve(t, &tt.fault, &worked)
			tt.check(t, resp, body, err)
			assert.True(t, worked.Load())
		})
	}
}

func TestFaultDropBefore(t *testing.T) {
	var worked atomic.Bool
	_, _, err := serve(t, &control.Fault{Drop: true}, &worked)
	assert.ErrorIs(t, err, io.EOF)
	assert.False(t, worked.Load())
}

func TestFaultLatencyEndsWithItsClient(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	f := &control.Fault{Latency: control.Duration(time.Hour)}
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		f.Serve(httptest.NewRecorder(), r, http.NotFoundHandler())
	})
}
