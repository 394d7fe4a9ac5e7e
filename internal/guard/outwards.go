package guard

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// outwards is a refusal as a caller from elsewhere may read it: what the caller can
// do something about stays, and so do the figures of the allowance. Where the ledger
// and the recordings are, who else draws on them and how the sandbox is reached is
// for those who run the guard, who find it in its log: then withheld is true.
func (r *Refusal) outwards() (told *Refusal, withheld bool) {
	out := *r
	var blocked *quota.BlockedError
	var missed *MissError
	var wait *pace.WaitError
	switch {
	case errors.As(r.Err, &wait):
		out.Err = fmt.Errorf("%w; ask again later, or whoever runs this server gives it a max-wait of %s", r.Err, wait.Longer())
		return &out, false
	case errors.As(r.Err, &missed):
		public := *missed
		public.Nearest = filepath.Base(missed.Nearest)
		if missed.Nearest == "" {
			public.Nearest = ""
		}
		out.Err = &public
		return &out, false
	case errors.As(r.Err, &blocked):
		public := *blocked
		public.Bar, public.Holders = quota.Bar{}, []quota.Holder{}
		out.Err = &public
		if text := r.Err.Error(); !strings.Contains(text, blocked.Error()) { // a caller's own words for it
			out.Err = &maskedError{text, &public}
		}
		return &out, blocked.Bar != quota.Bar{}
	case errors.As(r.Err, new(*quota.BarredError)): // it says where the ledger is, or went
	case r.Verdict == Policy && !Quarantined(r.Err),
		r.Verdict == Blocked, r.Verdict == Stopped, r.Verdict == Capped, r.Verdict == Cancelled:
		return &out, false
	}
	out.Err = errors.New(titles[r.Verdict] + "; whoever runs this server finds the reason in its log")
	return &out, true
}

// Quarantined tells whether an error is about an answer that a secret keeps in
// quarantine.
func Quarantined(err error) bool { return errors.As(err, new(*quarantinedError)) }

// quarantinedError is an answer that was bought and that a secret keeps from being
// handed over.
type quarantinedError struct{ file string }

func (e *quarantinedError) Error() string {
	return "the answer that was bought holds a secret, so it is not handed over: it is in quarantine at " + e.file
}
