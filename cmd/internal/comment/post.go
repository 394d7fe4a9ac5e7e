package comment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/process"
)

// patience is how long the system's API may take for one answer.
const patience = 30 * time.Second

// mostBytes is how much of an answer is read, and mostPages how many lists of 100
// comments are: an API that does not know where it ends would be asked for ever.
const (
	mostBytes = 16 << 20
	mostPages = 100
)

// ErrForbidden says that the job's token may not comment, as that of a fork's.
var ErrForbidden = errors.New("the job may not comment, as a fork's may not: its token is refused")

// Done is what became of the comment.
type Done string

// What became of it.
const (
	Written   Done = "written"
	Updated   Done = "updated"
	Unchanged Done = "unchanged"
	// NotNeeded is that there is no comment, and nothing to say.
	NotNeeded Done = "not needed"
)

// note is a comment as both systems have it.
type note struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	// User is GitHub's, and Author GitLab's name for who wrote it.
	User   *account `json:"user"`
	Author *account `json:"author"`
}

type account struct {
	Login    string `json:"login"`
	Username string `json:"username"`
	Type     string `json:"type"`
}

// Post writes the comment, or brings it up to date where the price or the answers
// changed. A comment of somebody else that looks like it is left alone.
func (r Request) Post(ctx context.Context, c Costs) (Done, error) {
	if r.Token == "" {
		return "", fmt.Errorf("%s is not set: %w", process.CommentVariable, ErrForbidden)
	}
	text := c.Text()
	ours, err := r.ours(ctx, mark(c.Name))
	if err != nil {
		return "", err
	}
	if len(ours) == 0 {
		if c.settled() {
			return NotNeeded, nil
		}
		return Written, r.call(ctx, http.MethodPost, r.list(), map[string]string{"body": text}, nil)
	}
	for _, twice := range ours[1:] { // of two jobs that wrote the first one at once
		if err := r.call(ctx, http.MethodDelete, r.one(twice.ID), nil, nil); err != nil {
			return "", err
		}
	}
	if firstLine(ours[0].Body) == firstLine(text) {
		return Unchanged, nil
	}
	method := http.MethodPatch
	if r.System == "gitlab" {
		method = http.MethodPut
	}
	return Updated, r.call(ctx, method, r.one(ours[0].ID), map[string]string{"body": text}, nil)
}

// ours are the comments of this job, the oldest first: those with the mark that the
// token's own user wrote. The token of a job on GitHub belongs to a bot and can't ask
// who it is.
func (r Request) ours(ctx context.Context, mark string) ([]note, error) {
	var me account
	known := true
	switch err := r.call(ctx, http.MethodGet, r.API+"/user", nil, &me); {
	case errors.Is(err, ErrForbidden) && r.System == "github":
		known = false
	case err != nil:
		return nil, err
	}
	mine := func(n note) bool {
		if r.System == "gitlab" {
			return n.Author != nil && n.Author.Username == me.Username
		}
		return n.User != nil && (known && n.User.Login == me.Login || !known && n.User.Type == "Bot")
	}
	var ours []note
	for page := 1; page <= mostPages; page++ {
		var notes []note
		query := fmt.Sprintf("?per_page=100&page=%d", page)
		if r.System == "gitlab" {
			query += "&sort=asc&order_by=created_at"
		}
		if err := r.call(ctx, http.MethodGet, r.list()+query, nil, &notes); err != nil {
			return nil, err
		}
		for _, n := range notes {
			if strings.HasPrefix(n.Body, mark) && mine(n) {
				ours = append(ours, n)
			}
		}
		if len(notes) < 100 {
			return ours, nil
		}
	}
	return nil, fmt.Errorf("%s: the request has more than %d comments, or the list has no end", r.list(), 100*mostPages)
}

// list is the address of the request's comments.
func (r Request) list() string {
	if r.System == "gitlab" {
		return fmt.Sprintf("%s/projects/%s/merge_requests/%d/notes", r.API, url.PathEscape(r.Project), r.Number)
	}
	return fmt.Sprintf("%s/repos/%s/issues/%d/comments", r.API, r.Project, r.Number)
}

// one is the address of a comment.
func (r Request) one(id int64) string {
	if r.System == "gitlab" {
		return fmt.Sprintf("%s/%d", r.list(), id)
	}
	return fmt.Sprintf("%s/repos/%s/issues/comments/%d", r.API, r.Project, id)
}

// call sends one request. A redirect is none of these APIs' answers, and would carry
// the token elsewhere.
func (r Request) call(ctx context.Context, method, address string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, sent)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostBytes))
	if err != nil {
		return err
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden && resp.Header.Get("X-Ratelimit-Remaining") != "0",
		resp.StatusCode == http.StatusNotFound && method != http.MethodGet:
		return fmt.Errorf("%s %s: %s: %w", method, address, resp.Status, ErrForbidden)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("%s %s: %s", method, address, resp.Status)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s %s: the answer is no such JSON: %w", method, address, err)
	}
	return nil
}
