package comment

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

func costs(price int) Costs {
	return Costs{
		Name: "test/replay", Base: "main", Changes: &Changes{},
		Before: &report.Bill{WouldHaveSpent: 40, Verdict: "ok"}, After: &report.Bill{WouldHaveSpent: price, Verdict: "ok"},
	}
}

// both runs a test for each system.
func both(t *testing.T, test func(t *testing.T, s *system)) {
	for name, gitlab := range map[string]bool{"github": false, "gitlab": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newSystem(t, gitlab))
		})
	}
}

// TestOneComment writes, keeps and changes the one comment of a request.
func TestOneComment(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *system) {
		for range 120 { // more than a page
			s.add(account{Login: "bob", Username: "bob", Type: "User"}, "I like it")
		}
		step := func(c Costs, want Done) {
			t.Helper()
			done, err := s.request().Post(t.Context(), c)
			require.NoError(t, err)
			require.Equal(t, want, done)
		}
		step(costs(40), NotNeeded)
		require.Len(t, s.notes, 120, "a request that costs what it did gets no comment")
		step(costs(43), Written)
		require.Len(t, s.notes, 121)
		assert.Contains(t, s.notes[120].Body, "| 40 | **43** (+3) |")
		later := costs(43)
		later.Left = "Units left for ordinary runs: 7 of 100."
		step(later, Unchanged) // what is left changes all the time
		step(costs(44), Updated)
		assert.Contains(t, s.notes[120].Body, "| 40 | **44** (+4) |")
		step(costs(40), Updated) // what was said is true no more
		other := costs(50)
		other.Name = "test/nightly"
		step(other, Written)
		require.Len(t, s.notes, 122, "jobs have comments of their own")
	})
}

// TestCommentOfAnother leaves a comment alone that somebody else made to look like it,
// and takes the second of two away.
func TestCommentOfAnother(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *system) {
		s.add(account{Login: "mallory", Username: "mallory", Type: "User"}, costs(1).Text())
		s.add(s.me(), costs(41).Text())
		s.add(s.me(), costs(42).Text())
		s.add(s.me(), "> "+costs(42).Text())
		done, err := s.request().Post(t.Context(), costs(43))
		require.NoError(t, err)
		assert.Equal(t, Updated, done)
		require.Len(t, s.notes, 3)
		assert.Equal(t, costs(1).Text(), s.notes[0].Body)
		assert.Equal(t, costs(43).Text(), s.notes[1].Body)
		assert.Equal(t, []string{http.MethodDelete, map[bool]string{false: http.MethodPatch, true: http.MethodPut}[s.gitlab]}, s.changes)
	})
}

// TestCommentOfAPerson finds its comment by the name of the token's user.
func TestCommentOfAPerson(t *testing.T) {
	t.Parallel()
	s := newSystem(t, false)
	s.bot = false
	s.add(account{Login: "some-app[bot]", Type: "Bot"}, costs(41).Text())
	done, err := s.request().Post(t.Context(), costs(43))
	require.NoError(t, err)
	assert.Equal(t, Written, done)
	done, err = s.request().Post(t.Context(), costs(44))
	require.NoError(t, err)
	assert.Equal(t, Updated, done)
	assert.Equal(t, costs(41).Text(), s.notes[0].Body)
}

// TestMayNotComment is a fork's job: its token reads, or there is none. An outage is
// something else.
func TestMayNotComment(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *system) {
		s.refuse = http.StatusForbidden
		_, err := s.request().Post(t.Context(), costs(43))
		require.ErrorIs(t, err, ErrForbidden)
		none := s.request()
		none.Token = ""
		_, err = none.Post(t.Context(), costs(43))
		require.ErrorIs(t, err, ErrForbidden)
		none.Token = "another"
		_, err = none.Post(t.Context(), costs(43))
		require.ErrorIs(t, err, ErrForbidden)
		assert.NotContains(t, err.Error(), "another")
		s.refuse = http.StatusBadGateway
		_, err = s.request().Post(t.Context(), costs(43))
		require.Error(t, err)
		require.NotErrorIs(t, err, ErrForbidden)
		assert.Empty(t, s.notes)
	})
}

// TestTokenStaysThere sends the token to the API alone, whatever it is led to.
func TestTokenStaysThere(t *testing.T) {
	t.Parallel()
	var asked bool
	other := newSystem(t, false)
	other.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true })
	s := newSystem(t, false)
	s.Config.Handler = http.RedirectHandler(other.URL, http.StatusTemporaryRedirect)
	_, err := s.request().Post(t.Context(), costs(43))
	require.Error(t, err)
	assert.False(t, asked)
}

// TestListWithoutAnEnd: an API that has another page whatever was asked for is left.
func TestListWithoutAnEnd(t *testing.T) {
	t.Parallel()
	page := make([]note, 100)
	asked := 0
	s := newSystem(t, false)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/user" {
			s.user(w)
			return
		}
		if asked++; asked > 1000 {
			page = nil
		}
		assert.NoError(t, json.NewEncoder(w).Encode(page))
	})
	_, err := s.request().Post(t.Context(), costs(43))
	require.ErrorContains(t, err, "more than 10000 comments, or the list has no end")
	assert.Equal(t, 100, asked)
}
