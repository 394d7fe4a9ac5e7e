package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/hsharness/hsharness/quota"
)

// Run is the id of the run whose id begins with a text. It is an error where there is
// none, or more than one. No text is no run.
func (l *Ledger) Run(ctx context.Context, begins string) (string, error) {
	if begins == "" {
		return "", nil
	}
	runs, err := l.Store.Runs(ctx, 0)
	if err != nil {
		return "", err
	}
	var found []string
	for _, r := range runs {
		if r.ID == begins {
			return r.ID, nil
		}
		if strings.HasPrefix(r.ID, begins) {
			found = append(found, r.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("run %s: %w", begins, quota.ErrNoRun)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%w as %s: %d begin so, such as %s and %s", quota.ErrNoRun, begins, len(found), found[0], found[1])
}
