package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAddressShowsNoPassword(t *testing.T) {
	t.Parallel()
	for dsn, shown := range map[string]string{
		"postgres://u:secretword@h:5433/d?sslmode=require": "postgres://u@h:5433/d",
		"postgres://h/d?password=secretword&dbname=e":      "postgres://h/d?dbname=e",
		"postgres:///u:secretword@h/d":                     "postgres:///u:xxxxx@h/d",
		"postgres:///u:secret@word@h/d":                    "postgres:///u:xxxxx@h/d",
		"postgres://h/d?user=u:secretword@h":               "postgres://h/d?user=u%3Axxxxx%40h",
		"postgres://h/team@work":                           "postgres://h/team@work",
		"postgres://h:5433/team%40work":                    "postgres://h:5433/team@work",
		"postgres://u:12/secretword@h/d":                   "postgres://…",
		"postgres://u:/secretword@h/d":                     "postgres://…",
		"postgres://u:12?secretword@h/d":                   "postgres://…",
		"postgres://u:12#secretword@h/d":                   "postgres://…",
		"postgres://h:5433/d?user=u@work":                  "postgres://h:5433/d?user=u%40work",
	} {
		assert.Equal(t, shown, Address{DSN: dsn}.Public(), dsn)
	}
}
