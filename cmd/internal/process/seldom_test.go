package process_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/cmd/internal/process"
)

// TestSeldomTellsOnceInTenSeconds: and what it left out is in the next line.
func TestSeldomTellsOnceInTenSeconds(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Unix(0, 0)
	log := slog.New(&process.Seldom{Handler: slog.NewTextHandler(&out, nil), Now: func() time.Time { return now }})
	for range 1000 {
		log.Error("refused")
	}
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))
	now = now.Add(10 * time.Second)
	log.Error("refused")
	assert.Equal(t, 2, strings.Count(out.String(), "\n"))
	assert.Contains(t, out.String(), "left_out=999")
}
