package postgres_test

import (
	"io"
	"net"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// cutter stands between a store and its server and cuts the connection when it
// is told to. What it read last is then lost: a statement that the server never
// sees, or the answer to one that it carried out.
type cutter struct {
	listener net.Listener
	server   atomic.Pointer[server]
	mu       sync.Mutex
	conns    []net.Conn
	// left counts the packets that may still pass; negative is all.
	left atomic.Int64
	cuts atomic.Int64
	// cut is called before a connection is cut. Nil is nobody.
	cut atomic.Pointer[func()]
}

func newCutter(t *testing.T, dsn string) (*cutter, string) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	c := &cutter{listener: listener}
	c.left.Store(-1)
	c.lead(t, dsn)
	go c.serve()
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: listener.Addr().String(), Path: "/" + config.Database,
		RawQuery: "sslmode=disable",
	}
	return c, u.String()
}

// server is where a cutter leads to.
type server struct{ network, address string }

// lead cuts all connections, and leads the next ones to the server of dsn.
func (c *cutter) lead(t *testing.T, dsn string) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	c.server.Store(&server{network, address})
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *cutter) serve() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		to := c.server.Load()
		server, err := net.Dial(to.network, to.address)
		if err != nil {
			_ = client.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, client)
		c.mu.Unlock()
		go c.pass(server, client)
		go c.pass(client, server)
	}
}

func (c *cutter) pass(to io.WriteCloser, from io.ReadCloser) {
	defer to.Close()
	defer from.Close()
	packet := make([]byte, 64<<10)
	for {
		n, err := from.Read(packet)
		if err != nil {
			return
		}
		if c.left.Load() >= 0 && c.left.Add(-1) == -1 {
			c.cuts.Add(1)
			if cut := c.cut.Load(); cut != nil {
				(*cut)()
			}
			return
		}
		if _, err := to.Write(packet[:n]); err != nil {
			return
		}
	}
}

// TestCutAtEachStep cuts the connection once, at every packet of every
// operation in turn. Whatever was lost, a request or its answer, the operation
// must succeed and count once.
func TestCutAtEachStep(t *testing.T) {
	t.Parallel()
	for name, as := range map[string]func(quota.Store) quota.Store{
		"alone": func(s quota.Store) quota.Store { return s }, "together": postgres.Together,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cutOperations(t, as)
		})
	}
}

func cutOperations(t *testing.T, as func(quota.Store) quota.Store) {
	t.Helper()
	cutter, dsn := newCutter(t, pgtest.Database(t))
	s := as(newStore(t, postgres.Config{DSN: with(dsn, "pool_max_conns", "1"), Lease: time.Hour})) // it may take longer than a lease
	ctx := t.Context()
	_, err := s.Grant(ctx, quota.GrantSpec{ID: "much", Units: 1_000_000})
	require.NoError(t, err)
	_, err = s.Begin(ctx, quota.RunSpec{ID: "run", Max: 1000}, nil)
	require.NoError(t, err)

	var granted, held, spent, observed int64 = 1_000_100, 1000, 0, 0
	spend := func(id string, settled ...quota.Settlement) error {
		e, err := s.Spend(ctx, quota.SpendSpec{ID: id, Run: "run", Units: 1}, settled...)
		if err == nil {
			assert.Positive(t, e.Seq)
		}
		return err
	}
	for _, op := range []struct {
		name string
		// before and op get an id that is new each time.
		before func(id string) error
		do     func(id string) error
		// figures are what changes.
		granted, held, spent int64
	}{
		{name: "spend", do: func(id string) error { return spend(id) }, held: -1, spent: 1},
		{
			name: "spend and settle", before: func(id string) error { return spend("before " + id) },
			do: func(id string) error {
				return spend(id, quota.Settlement{Spend: "before " + id, Outcome: quota.Refunded, Proof: quota.NoConnection})
			}, held: -1, spent: 1,
		},
		{
			name: "settle", before: func(id string) error { return spend(id) },
			do: func(id string) error {
				return s.Settle(ctx, quota.Settlement{Spend: id, Outcome: quota.Refunded, Proof: quota.NoConnection})
			},
		},
		{name: "begin", do: func(id string) error { _, err := s.Begin(ctx, quota.RunSpec{ID: id, Max: 5}, nil); return err }, held: 5},
		{
			name: "end", before: func(id string) error { _, err := s.Begin(ctx, quota.RunSpec{ID: id, Max: 5}, nil); return err },
			do: func(id string) error { _, err := s.End(ctx, id, quota.Counters{Requests: 1}); return err },
		},
		{name: "renew", do: func(string) error { _, err := s.Renew(ctx, "run"); return err }},
		{name: "grant", do: func(id string) error { _, err := s.Grant(ctx, quota.GrantSpec{ID: id, Units: 2}); return err }, granted: 2},
		{
			name: "reconcile", before: func(string) error { observed = spent + 1; return nil },
			do: func(id string) error {
				_, err := s.Reconcile(ctx, quota.ReconcileSpec{ID: id, Observed: observed, Note: "portal"})
				return err
			}, spent: 1,
		},
		{name: "exhaust", do: func(string) error { _, err := s.Exhaust(ctx, quota.ExhaustSpec{Run: "run"}); return err }},
		{name: "status", do: func(string) error { _, err := s.Status(ctx); return err }},
	} {
		t.Run(op.name, func(t *testing.T) {
			for step := 0; ; step++ {
				id := op.name + strconv.Itoa(step)
				if op.before != nil {
					require.NoError(t, op.before(id))
					if op.name == "spend and settle" { // refunded by it
						held, spent = held-1, spent+1
					}
					if op.name == "settle" {
						held, spent = held-1, spent+1
					}
				}
				_, err := s.Status(ctx) // connected again, and nothing under way
				require.NoError(t, err)
				cuts := cutter.cuts.Load()
				cutter.left.Store(int64(step))
				require.NoError(t, op.do(id), "cut at packet %d", step)
				cutter.left.Store(-1)
				if op.name == "spend and settle" || op.name == "settle" {
					held, spent = held+1, spent-1
				}
				granted, held, spent = granted+op.granted, held+op.held, spent+op.spent
				status, err := s.Status(ctx)
				require.NoError(t, err)
				require.Equal(t, []int64{granted, held, spent}, []int64{status.Granted, status.Held, status.Spent}, "granted, held, spent; cut at packet %d", step)
				if cutter.cuts.Load() == cuts { // it has no such packet
					assert.Greater(t, step, 1)
					break
				}
			}
			if op.name == "exhaust" { // what follows needs none of it
				_, err := s.Grant(ctx, quota.GrantSpec{ID: "lift", Units: 1})
				require.NoError(t, err)
				granted++
			}
			report, err := s.Verify(ctx)
			require.NoError(t, err)
			assert.Empty(t, report.Problems)
		})
	}
}
