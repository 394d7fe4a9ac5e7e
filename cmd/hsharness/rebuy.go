package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/drift"
	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/cmd/internal/rebuy"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// rebuy buys the answer of each chosen recording once more, in a metered run of
// its own. The new answers are takes of the recordings from then on, and wait to be
// accepted where f says so: what was paid for is kept. It stops at the first one that the guard refuses, that stops
// every run, or that gets no answer.
func (p *program) rebuy(cmd *cobra.Command, f meterFlags, chosen []*recording.Recording) (rebuy.Result, error) {
	ctx := cmd.Context()
	out := rebuy.Result{Compared: []drift.Comparison{}}
	s, err := p.openRebuy(cmd, f, chosen)
	if err != nil {
		return out, err
	}
	defer s.close()
	st, err := s.Services(guard.Live, nil)
	if err != nil {
		return out, err
	}
	asker := rebuy.Asker{Services: st, Why: cmd.Name(), Client: &http.Client{
		Transport:     services.Authorized(st, guard.LocalTransport()),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	store, err := s.project.OpenRecordings(s.secrets...)
	if err == nil {
		err = s.Share(store)
	}
	if err != nil {
		return out, usageError(err)
	}
	var errs []error
	kept := ""
	for _, r := range chosen {
		c, err := asker.Ask(ctx, store, r, s.project.Recordings.Drift)
		if verdict, _ := st.Verdict(); verdict != "" { // such as an answer that nothing is left
			var evidence *rebuy.EvidenceError
			if errors.As(err, &evidence) {
				kept = "; " + evidence.Error()
			}
			break
		}
		if err != nil {
			errs = append(errs, err)
			break
		}
		out.Add(c)
	}
	errs = append(errs, st.Close())
	tally, _ := st.Tally() // that of services in this process never errs
	bill := report.Bill{Requests: tally.Requests, Missed: tally.Missed, Refused: tally.Refused - tally.Missed}
	endErr := s.End(ctx, &bill)
	out.Spent = bill.Spent
	verdict, reason := st.Verdict()
	if ending.Judge(&bill, verdict, reason); bill.Exit != exitOK {
		errs = []error{&exitError{bill.Exit, errors.New(bill.Reason + kept)}}
	}
	return out, errors.Join(append([]error{endErr}, append(errs, p.writeBill(f, bill))...)...)
}

// openRebuy begins the run, if all that is chosen fits into its amount.
func (p *program) openRebuy(cmd *cobra.Command, f meterFlags, chosen []*recording.Recording) (*metered, error) {
	if p.nested() {
		return nil, usageError(hint.Outside.About(errors.New("this needs a run of its own")))
	}
	pr, err := p.project()
	if err != nil {
		return nil, err
	}
	price, amount := 0, cmp.Or(f.maxSpend, pr.PerRun)
	for _, r := range chosen {
		price += r.Shown().Cost
	}
	if int64(price) > amount && amount > 0 { // without an amount nothing is bought, as everywhere
		return nil, &exitError{exitBlocked, hint.Amount(price).About(fmt.Errorf("%d recordings cost %d units to buy again, the run may spend %d", len(chosen), price, amount))}
	}
	if !cmd.Flags().Changed("mode") {
		p.mode = guard.Live.String()
	}
	f.alone = true
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

// printRebought prints how each new take differs from the one before.
func (p *program) printRebought(out rebuy.Result) error {
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
