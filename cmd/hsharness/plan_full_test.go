package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// full is a disk that has no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestPlanThatCannotBePrinted is no price: who reads half of one takes it for the whole.
func TestPlanThatCannotBePrinted(t *testing.T) {
	for _, args := range [][]string{{"plan", "--no-color"}, {"plan", "--format", "json"}} {
		var errs bytes.Buffer
		p := program{stdin: strings.NewReader(""), stdout: io.Writer(full{}), stderr: &errs, lookupEnv: func(string) (string, bool) { return "", false }}
		assert.Equal(t, exitUsage, p.run(t.Context(), args), "%s", args)
		assert.Contains(t, errs.String(), "no space left on device", "%s", args)
	}
}
