package comment

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// system is a stand-in of GitHub's or GitLab's API: the comments of one request, kept
// as they would be, and each call checked against what the system documents.
type system struct {
	*httptest.Server
	t      *testing.T
	gitlab bool
	// bot says that the token is a job's, which can't ask who it is on GitHub.
	bot bool
	// refuse is the status of each change, 0 for none.
	refuse int

	mu      sync.Mutex
	next    int64
	notes   []note
	changes []string // METHOD of each
}

const goodToken = "the job's token"

func newSystem(t *testing.T, gitlab bool) *system {
	s := &system{t: t, gitlab: gitlab, bot: true, next: 1}
	base, one := "/repos/shop/tariffs/issues/7/comments", "/repos/shop/tariffs/issues/comments/"
	change := http.MethodPatch
	if gitlab {
		base, change = "/projects/shop%2Ftariffs/merge_requests/7/notes", http.MethodPut
		one = base + "/"
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		path := r.URL.EscapedPath()
		id, isOne := strings.CutPrefix(path, one)
		switch {
		case r.Header.Get("Authorization") != "Bearer "+goodToken:
			w.WriteHeader(http.StatusUnauthorized)
		case path == "/user" && r.Method == http.MethodGet:
			s.user(w)
		case s.refuse != 0 && r.Method != http.MethodGet:
			w.WriteHeader(s.refuse)
		case path == base && r.Method == http.MethodGet:
			page, err := strconv.Atoi(r.URL.Query().Get("page"))
			assert.NoError(t, err)
			assert.Equal(t, "100", r.URL.Query().Get("per_page"))
			assert.Equal(t, gitlab, r.URL.Query().Get("sort") == "asc", "GitLab's are newest first without")
			from := min((page-1)*100, len(s.notes))
			assert.NoError(t, json.NewEncoder(w).Encode(s.notes[from:min(from+100, len(s.notes))]))
		case path == base && r.Method == http.MethodPost:
			s.add(s.me(), s.body(r))
			w.WriteHeader(http.StatusCreated)
		case isOne && (r.Method == change || r.Method == http.MethodDelete):
			i := slices.IndexFunc(s.notes, func(n note) bool { return fmt.Sprint(n.ID) == id })
			if !assert.GreaterOrEqual(t, i, 0, id) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			s.changes = append(s.changes, r.Method)
			if r.Method == http.MethodDelete {
				s.notes = slices.Delete(s.notes, i, i+1)
				w.WriteHeader(http.StatusNoContent)
				return
			}
			s.notes[i].Body = s.body(r)
			fmt.Fprint(w, "{}")
		default:
			assert.Fail(t, "no such call", "%s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *system) user(w http.ResponseWriter) {
	if s.bot && !s.gitlab {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"Resource not accessible by integration"}`)
		return
	}
	assert.NoError(s.t, json.NewEncoder(w).Encode(s.me()))
}

func (s *system) me() account {
	switch {
	case s.gitlab:
		return account{Username: "project_1_bot"}
	case s.bot:
		return account{Login: "github-actions[bot]", Type: "Bot"}
	}
	return account{Login: "ann", Type: "User"}
}

func (s *system) body(r *http.Request) string {
	assert.Equal(s.t, "application/json", r.Header.Get("Content-Type"))
	var sent map[string]string
	assert.NoError(s.t, json.NewDecoder(r.Body).Decode(&sent))
	assert.Len(s.t, sent, 1)
	return sent["body"]
}

// add is a comment of somebody. The caller holds the lock, or nobody calls yet.
func (s *system) add(by account, body string) {
	n := note{ID: s.next, Body: body}
	if s.next++; s.gitlab {
		n.Author = &by
	} else {
		n.User = &by
	}
	s.notes = append(s.notes, n)
}

func (s *system) request() Request {
	r := Request{System: "github", API: s.URL, Project: "shop/tariffs", Number: 7, Token: goodToken}
	if s.gitlab {
		r.System = "gitlab"
	}
	return r
}
