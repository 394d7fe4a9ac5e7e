package postgres_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pgtest"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/postgres"
)

// TestFlushesSwitchedOff lets the server stop to flush while a run goes on. The
// next renewal of its lease, its next spend or its next connection notices, and the store changes
// nothing any more, also when the server flushes again.
func TestFlushesSwitchedOff(t *testing.T) {
	t.Parallel()
	server := pgtest.Private(t)
	admin := session(t, server.DSN())
	set := func(sql string) {
		for _, sql := range []string{sql, "SELECT pg_reload_conf()"} {
			_, err := admin.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
	}
	for _, setting := range []string{"fsync", "full_page_writes"} {
		for name, do := range map[string]func(quota.Store, string) error{
			"renewal": func(s quota.Store, _ string) error { _, err := s.Renew(t.Context(), "a"); return err },
			"spend": func(s quota.Store, id string) error {
				_, err := s.Spend(t.Context(), quota.SpendSpec{ID: id, Run: "a", Units: 1})
				return err
			},
			"new connection": func(s quota.Store, _ string) error {
				_, err := admin.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hsharness'")
				require.NoError(t, err)
				_, err = s.Renew(t.Context(), "a")
				return err
			},
		} {
			dsn := with(server.DSN(), "search_path", strings.ReplaceAll(setting+"_"+name, " ", "_"))
			s, err := postgres.Init(t.Context(), postgres.Config{DSN: dsn}, quota.InitSpec{Granted: 1_000_000})
			require.NoError(t, err)
			_, err = s.Begin(t.Context(), quota.RunSpec{ID: "a", Max: 1_000_000}, nil)
			require.NoError(t, err)
			require.NoError(t, do(s, "before"))

			set("ALTER SYSTEM SET " + setting + " = off")
			n := 0
			noticed := func() bool { // once its process has read the file again
				n++
				err = do(s, setting+name+strconv.Itoa(n))
				return err != nil
			}
			require.Eventually(t, noticed, 20*time.Second, time.Millisecond)
			require.ErrorIs(t, err, quota.ErrPoisoned)
			assert.ErrorContains(t, err, setting+" is off")
			_, err = postgres.Open(t.Context(), postgres.Config{DSN: dsn})
			require.ErrorIs(t, err, quota.ErrUnsafePlace)

			set("ALTER SYSTEM RESET " + setting)
			on := func() bool {
				other, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn})
				return err == nil && other.Close() == nil
			}
			require.Eventually(t, on, 20*time.Second, time.Millisecond)
			_, err = s.Renew(t.Context(), "a")
			require.ErrorIs(t, err, quota.ErrPoisoned)
			_, err = s.Spend(t.Context(), quota.SpendSpec{ID: "after", Run: "a", Units: 1})
			require.ErrorIs(t, err, quota.ErrPoisoned)
			_, err = s.Begin(t.Context(), quota.RunSpec{ID: "b", Max: 1}, nil)
			require.ErrorIs(t, err, quota.ErrPoisoned)
			_, err = s.End(t.Context(), "a", quota.Counters{})
			require.ErrorIs(t, err, quota.ErrPoisoned)
			require.ErrorIs(t, s.Settle(t.Context(), quota.Settlement{Spend: "before", Outcome: quota.Answered}), quota.ErrPoisoned)
			_, err = s.Status(t.Context())
			require.NoError(t, err)
			require.NoError(t, s.Close())
		}
	}
}
