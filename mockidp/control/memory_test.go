package control_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp/control"
)

// long is an entry of some 20,000 bytes.
func long() control.Entry {
	text := strings.Repeat("x", 4<<10)
	return control.Entry{Method: text, Path: text, Query: text, Body: text, Client: text}
}

// What a journal keeps of a long body is not the body: a kept part of a text keeps all
// of it, and a form may have 30 MB, also where that part is short: the id of a client.
func TestJournalKeepsNoLongTexts(t *testing.T) {
	var j control.Journal
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100 {
		form := strings.Repeat("a=b&", 1<<20)
		j.Record(control.Entry{Body: form, Client: form[2:3]})
		line := strings.Repeat("c", 1<<20)
		j.Record(control.Entry{Client: line, Method: line[:4], Path: line[4:8], Query: line[8:12]})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(50<<20), "bytes")
	entries := j.Entries(0)
	require.Len(t, entries, 200)
	assert.Len(t, entries[198].Body, 4096)
	assert.Len(t, entries[199].Client, 4096)
}

// A journal of large entries keeps fewer of them.
func TestJournalHasALimitOfBytes(t *testing.T) {
	t.Parallel()
	var j control.Journal
	for range 1000 {
		j.Record(long())
	}
	entries := j.Entries(0)
	assert.InDelta(t, 400, len(entries), 20)
	assert.EqualValues(t, 1000, entries[len(entries)-1].Seq)
}

// Those who share a memory can't fill it for each other: the largest gives way.
func TestJournalsShareAMemory(t *testing.T) {
	t.Parallel()
	var root control.Journal
	var all []*control.Journal
	for range 20 {
		j := &control.Journal{Within: &control.Journal{Within: &root}}
		all = append(all, j)
		j.Record(control.Entry{Path: "/small"})
	}
	for _, j := range all[1:] {
		for range 400 {
			j.Record(long())
		}
	}
	kept := 0
	for _, j := range all {
		kept += len(j.Entries(0))
	}
	assert.Less(t, kept, 3400, "entries of 20,000 bytes")
	assert.Greater(t, kept, 1500)
	assert.Len(t, all[0].Entries(0), 1, "who has little loses nothing")
	for _, j := range all {
		j.Clear()
	}
	for range 300 {
		all[0].Record(long())
	}
	assert.Len(t, all[0].Entries(0), 301-1, "what was forgotten is free")
}

// All clients together have a limit of faults, and what one clears is free for others.
func TestScriptsShareAMemory(t *testing.T) {
	t.Parallel()
	var root control.Script
	large := control.Fault{Status: 500, Body: strings.Repeat("x", 4<<20-1000)}
	var all []*control.Script
	for range 16 {
		s := &control.Script{Within: &root}
		require.NoError(t, s.Add(large))
		all = append(all, s)
	}
	more := &control.Script{Within: &root}
	assert.ErrorContains(t, more.Add(large), "more than 67108864, the most that all may have together: end clients, or clear their faults")
	assert.NoError(t, more.Add(control.Fault{Status: 500}), "a small one has room")
	all[3].Clear()
	assert.NoError(t, more.Add(control.Fault{Status: 500, Body: strings.Repeat("x", 4<<20-2000)}))
}
