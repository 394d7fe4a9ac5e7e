package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// rebuyable tells whether the request of a recording can be sent again, and its
// answer would be a take of that very file: it cost something at the sandbox, no
// secret was taken out of what it asked for, and its key is what it was.
func rebuyable(store *recording.Store, r *recording.Recording) bool {
	t := shownTake(r)
	if r.Inputs.Environment != string(avalara.Sandbox) || t.Cost == 0 ||
		redacted(r.Inputs.Path) || redacted(r.Inputs.Query) || redacted(string(t.Request.Body)) {
		return false
	}
	answers, err := store.Get(keyOf(store, r))
	file, fileErr := filepath.Abs(r.File)
	return err == nil && fileErr == nil && answers.File == file
}

// keyOf is the key that a recording's request has now.
func keyOf(store *recording.Store, r *recording.Recording) recording.Key {
	asked := shownTake(r).Request
	return store.Key(recording.Request{
		Environment: r.Inputs.Environment, API: r.Inputs.API, Method: r.Inputs.Method,
		Path: r.Inputs.Path, Query: r.Inputs.Query, Header: asked.Header, Body: asked.Body,
	})
}

// redacted tells whether text has a mark in a secret's place, spelled as it is
// or as in a URL.
func redacted(text string) bool {
	return strings.Contains(text, "{{secret:") || strings.Contains(strings.ToUpper(text), "%7B%7BSECRET")
}

// rebought is what buying again came to, as JSON.
type rebought struct {
	// Compared has each recording's take before and its new one.
	Compared []comparison `json:"compared"`
	// Drifted is how many of them differ by shape.
	Drifted int `json:"drifted"`
	Spent   int `json:"spent"`
}

// rebuy buys the answer of each chosen recording once more, in a metered run of
// its own. The new answers are takes of the recordings from then on: what was
// paid for is kept. It stops at the first one that the guard refuses, that stops
// every run, or that gets no answer.
func (p *program) rebuy(cmd *cobra.Command, f meterFlags, chosen []*recording.Recording) (rebought, error) {
	ctx := cmd.Context()
	out := rebought{Compared: []comparison{}}
	s, err := p.openRebuy(cmd, f, chosen)
	if err != nil {
		return out, err
	}
	defer s.close()
	st, err := s.Services(guard.Live, nil)
	if err != nil {
		return out, err
	}
	client := &http.Client{
		Transport:     services.Authorized(st, guard.LocalTransport()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	store, err := s.project.OpenRecordings(s.secrets...)
	if err != nil {
		return out, usageError(err)
	}
	var errs []error
	kept := ""
	for _, r := range chosen {
		c, err := ask(ctx, st, client, store, r)
		if code, _ := st.Exit(); code != exitOK { // such as an answer that nothing is left
			var evidence *evidenceError
			if errors.As(err, &evidence) {
				kept = "; " + evidence.Error()
			}
			break
		}
		if err != nil {
			errs = append(errs, err)
			break
		}
		out.Compared = append(out.Compared, c)
		if c.Shape {
			out.Drifted++
		}
	}
	errs = append(errs, st.Close())
	tally, _ := st.Tally() // that of services in this process never errs
	bill := report.Bill{Requests: tally.Requests, Missed: tally.Missed, Refused: tally.Refused - tally.Missed}
	endErr := s.End(ctx, &bill)
	out.Spent = bill.Spent
	if bill.Exit, bill.Reason = st.Exit(); bill.Exit != exitOK {
		errs = []error{&exitError{bill.Exit, errors.New(bill.Reason + kept)}}
	}
	return out, errors.Join(append([]error{endErr}, append(errs, p.writeBill("", bill))...)...)
}

// openRebuy begins the run, if all that is chosen fits into its amount.
func (p *program) openRebuy(cmd *cobra.Command, f meterFlags, chosen []*recording.Recording) (*metered, error) {
	if p.nested() {
		return nil, usageError(errors.New("this can't be done inside hsharness exec: it needs a run of its own"))
	}
	pr, err := p.project()
	if err != nil {
		return nil, err
	}
	price, amount := 0, cmp.Or(f.maxSpend, pr.PerRun)
	for _, r := range chosen {
		price += shownTake(r).Cost
	}
	if int64(price) > amount {
		return nil, usageError(fmt.Errorf("%d recordings cost %d units to buy again, the run may spend %d: repeat with --max-spend %d",
			len(chosen), price, amount, price))
	}
	if !cmd.Flags().Changed("mode") {
		p.mode = guard.Live.String()
	}
	s, err := p.openSession(cmd.Context(), f)
	if err != nil {
		return nil, err
	}
	if s.Limit.Mode != guard.Live {
		s.close()
		return nil, &exitError{exitPolicy, fmt.Errorf("buying again needs mode live, and %s allows no more than %s", s.Limit.By, s.Limit.Mode)}
	}
	return s, nil
}

// evidenceError says that a recorded request was asked again and that what came is
// no answer.
type evidenceError struct {
	file   string
	status int
}

func (e *evidenceError) Error() string {
	return fmt.Sprintf("the sandbox's %d is kept as evidence, and %s answers as before", e.status, e.file)
}

// ask sends a recorded request once more and compares the take that came of it
// with the one before.
func ask(ctx context.Context, st *services.Local, client *http.Client, store *recording.Store, r *recording.Recording) (comparison, error) {
	base, err := st.APIURL(avalara.Sandbox, avalara.API(r.Inputs.API))
	if err != nil {
		return comparison{}, err
	}
	target := base + r.Inputs.Path
	if r.Inputs.Query != "" {
		target += "?" + r.Inputs.Query
	}
	recorded := shownTake(r).Request
	req, err := http.NewRequestWithContext(ctx, r.Inputs.Method, target, bytes.NewReader(recorded.Body))
	if err != nil {
		return comparison{}, usageError(fmt.Errorf("%s: %w", short(r.File), err))
	}
	for name, values := range recorded.Header {
		if !redacted(strings.Join(values, " ")) {
			req.Header[name] = values
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		return comparison{}, &exitError{exitFailed, err}
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return comparison{}, &exitError{exitFailed, err}
	}
	if verdict := resp.Header.Get(guard.VerdictHeader); verdict != "" {
		return comparison{}, &exitError{exitFailed, fmt.Errorf("%s: %s", short(r.File), verdict)}
	}
	now, err := store.Get(keyOf(store, r))
	switch {
	case err != nil:
		return comparison{}, usageError(err)
	case len(now.Takes) <= len(r.Takes):
		return comparison{}, &exitError{exitFailed, fmt.Errorf("%s: the answer that was bought could not be recorded; look: hsharness doctor", short(r.File))}
	case now.Latest().Standing() != recording.Answer:
		return comparison{}, &exitError{exitUpstream, &evidenceError{short(r.File), now.Latest().Response.Status}}
	}
	return compareTakes(r, indexOf(r, shownTake(r)), now, len(now.Takes)-1), nil
}

// indexOf is the place of a take among its recording's.
func indexOf(r *recording.Recording, t *recording.Take) int {
	return slices.IndexFunc(r.Takes, func(other recording.Take) bool {
		return other.RecordedAt.Equal(t.RecordedAt) && other.Entry == t.Entry
	})
}

// printRebought prints how each new take differs from the one before.
func (p *program) printRebought(out rebought) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(out)
	}
	for _, c := range out.Compared {
		if err := p.printComparison(c); err != nil {
			return err
		}
	}
	return nil
}
