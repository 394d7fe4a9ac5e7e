package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// granted is a ledger that is granted more when it is summed up.
type granted struct {
	quota.Store
	units int64
}

func (s granted) Statement(ctx context.Context, since time.Time) (quota.Statement, error) {
	if _, err := s.Grant(ctx, quota.GrantSpec{ID: "more", Units: s.units}); err != nil {
		return quota.Statement{}, err
	}
	return s.Store.Statement(ctx, since)
}

// TestPageIsOfOneMoment: what happens between the look at the figures and that at the
// journal is in both, or the page would contradict itself.
func TestPageIsOfOneMoment(t *testing.T) {
	g := newTeam(t, 100, 4, map[string]int64{"shop": 50})
	plain := g.gateway.ledger.Store
	g.gateway.ledger.Store = granted{plain, 50}
	w := httptest.NewRecorder()
	g.gateway.Operations().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	g.gateway.ledger.Store = plain
	require.Equal(t, 200, w.Code)
	for _, says := range []string{
		"150 of 150 units are left for ordinary runs.", `<div id="granted"><dt>granted</dt><dd>150</dd>`, `<div id="left"><dt>left</dt><dd>150</dd>`,
		"150 of 150 granted units are left", `max="150"`,
	} {
		assert.Contains(t, w.Body.String(), says)
	}
}
