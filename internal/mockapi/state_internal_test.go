package mockapi

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/nomenclature"
)

// These look inside because the bounds are too large to reach over HTTP in a
// short test.

func kept(m *state, company int, size int) {
	id := fmt.Sprintf("%d-SKU-US", company)
	_, _, _ = m.create("account", classification{ID: id}, size, time.Time{})
}

func TestManagedForgetsTheOldestBeyondTheCount(t *testing.T) {
	m := newState(nil, 0, 0)
	for i := range maxKept + 1 {
		kept(m, i, 1)
	}
	assert.Len(t, m.kept, maxKept)
	assert.Len(t, m.order, maxKept)
	assert.Equal(t, maxKept, m.bytes)
	_, ok, _ := m.read("account", "0", "0-SKU-US", time.Time{})
	assert.False(t, ok)
	_, ok, _ = m.read("account", "1", "1-SKU-US", time.Time{})
	assert.True(t, ok)
}

func TestManagedForgetsTheOldestBeyondTheBytes(t *testing.T) {
	m := newState(nil, 0, 0)
	for i := range 4 {
		kept(m, i, maxKeptBytes/4)
	}
	assert.Len(t, m.kept, 4)
	kept(m, 3, maxKeptBytes/4) // a repeated POST counts once
	assert.Len(t, m.kept, 4)
	kept(m, 4, 1)
	assert.Len(t, m.kept, 4)
	assert.NotContains(t, m.kept, managedKey{"account", "0", "0-SKU-US"})
}

// All clients of a server have one memory, and what one has forgotten is room for another.
func TestManagedOfAllClientsHasALimit(t *testing.T) {
	t.Parallel()
	server := newState(nil, 0, 0)
	var clients []*state
	for range 20 {
		c := newState(nil, 0, 0)
		c.counts = server
		clients = append(clients, c)
		for i := range 4 {
			kept(c, i, maxKeptBytes/4)
		}
	}
	sum := func() (bytes int) {
		for _, c := range clients {
			bytes += c.bytes
		}
		return bytes
	}
	assert.Equal(t, maxAllBytes, sum())
	assert.EqualValues(t, sum(), server.all.Load())
	last := clients[len(clients)-1]
	assert.Empty(t, last.kept)
	require.NoError(t, clients[0].reset())
	kept(last, 1, maxKeptBytes/4)
	assert.Len(t, last.kept, 1)
	for _, c := range clients {
		require.NoError(t, c.reset())
	}
	assert.Zero(t, server.all.Load())
}

func TestCountries(t *testing.T) {
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if nomenclature.IsCountry(string(a) + string(b)) {
				n++
			}
		}
	}
	assert.Equal(t, 249, n)
	for _, not := range []string{"", "U", "us", "EU", "XX", " U", "S ", "USA", "é"} {
		assert.False(t, nomenclature.IsCountry(not), not)
	}
}

// FuzzReplay: no state file makes it panic, and one that is read is written so
// that it reads the same.
func FuzzReplay(f *testing.F) {
	f.Add([]byte(`{"format":1,"environment":"sandbox","served":{"a":1}}`))
	f.Add([]byte(`{"format":2,"environment":"sandbox","last_item":3}` + "\n" +
		`{"account":"a","served":2,"put":{"classification":{"id":"1-SKU-US","item":{"id":4}},"size":7,"reads":1}}` + "\n" +
		`{"account":"a","read":"1-SKU-US","reads":2}` + "\n" + `{"reset":true}` + "\n" + `{"account`))
	f.Add([]byte(`{"format":2,"environment":"sandbox"}` + "\n" + `{"put":{"size":-1}}` + "\n" + `{"read":"x"}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		s := newState(nil, 0, 0)
		if s.replay(bytes.NewReader(file), avalara.Sandbox) != nil {
			return
		}
		first, err := s.snapshot(avalara.Sandbox)
		require.NoError(t, err)
		again := newState(nil, 0, 0)
		require.NoError(t, again.replay(bytes.NewReader(first), avalara.Sandbox))
		second, err := again.snapshot(avalara.Sandbox)
		require.NoError(t, err)
		assert.Equal(t, string(first), string(second))
	})
}

// Anybody may be an account where any client is: their number has a limit, and so has
// the name of one. What those beyond it use counts all the same.
func TestAccountsHaveALimit(t *testing.T) {
	allowance := int64(2)
	m := newState(&allowance, 0, 0)
	for i := range maxAccounts {
		m.served[fmt.Sprint(i)] = 1
	}
	long := strings.Repeat("x", 10_000)
	assert.Equal(t, "others", m.known("new"))
	assert.Equal(t, "7", m.known("7"))
	clear(m.served)
	assert.Len(t, m.known(long), 71)
	assert.NotEqual(t, m.known(long), m.known(long+"y"))
	assert.Equal(t, "new", m.known("new"))
	of := newState(nil, 0, 0)
	of.counts = m
	for i := range maxAccounts {
		m.served[fmt.Sprint(i)] = 1
	}
	assert.Equal(t, "others", of.known("new"), "of a client, too")
	for range 3 {
		_, err := of.take(of.known("new"), 1)
		require.NoError(t, err)
	}
	assert.EqualValues(t, maxAccounts+2, m.usage().Served)
	assert.EqualValues(t, 1, m.refused)
}

// The name of an account is not the text that it came in.
func TestAccountsKeepNoLongTexts(t *testing.T) {
	m := newState(nil, 0, 0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 100 {
		credentials := fmt.Sprint(i) + strings.Repeat(":", 1<<20)
		_, err := m.take(m.known(credentials[:3]), 1)
		require.NoError(t, err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(20<<20), "bytes")
	assert.Len(t, m.served, 100)
}

// Whoever asks under ever new names shares the rate of all others at last.
func TestRateKnowsAsManyAccounts(t *testing.T) {
	t.Parallel()
	start := time.Now()
	now := func() time.Time { return start }
	l := newRateLimit(2, time.Hour)
	for i := range maxAccounts {
		require.Zero(t, l.wait(fmt.Sprint(i), now))
	}
	assert.Zero(t, l.wait("one", now))
	assert.Zero(t, l.wait("another", now))
	assert.Equal(t, time.Hour, l.wait("a third", now))
	assert.Zero(t, l.wait("7", now), "who was there before has a rate of their own")
	assert.Len(t, l.made, maxAccounts+1)
}

// The time of a request is that of its turn: else the one that was late for the lock took the
// window back to before, and all that was counted in it was forgotten.
func TestRateReadsTheTimeInTurn(t *testing.T) {
	t.Parallel()
	l := newRateLimit(1, time.Hour)
	start := time.Now()
	read := 0
	clock := func() time.Time {
		if l.mu.TryLock() {
			l.mu.Unlock()
			assert.Fail(t, "others may be counted meanwhile")
		}
		read++
		return start.Add(time.Duration(read))
	}
	assert.Zero(t, l.wait("shop", clock))
	assert.Positive(t, l.wait("shop", clock))
	assert.Equal(t, 2, read)
}
