package output_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/output"
)

// All that can be written is, and what can't be is said by its flag.
func TestWrite(t *testing.T) {
	t.Parallel()
	var wrote []string
	to := func(name string, _ int, _ func(io.Writer) error) error {
		if name == "full" {
			return errors.New("no space left")
		}
		wrote = append(wrote, name)
		return nil
	}
	err := output.Write(1, to, output.Report[int]{Flag: "--a"}, output.Report[int]{Flag: "--b", To: "full"}, output.Report[int]{Flag: "--c", To: "c"})
	assert.EqualError(t, err, "--b: no space left")
	assert.Equal(t, []string{"c"}, wrote)
}

// The folders of reports are made, and nothing is left where a report will be.
func TestCheck(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "a", "b", "c.xml")
	require.NoError(t, output.Check(output.Report[int]{Flag: "--a"}, output.Report[int]{Flag: "--b", To: name}, output.Report[int]{Flag: "--c", To: output.Stdout}))
	assert.DirExists(t, filepath.Dir(name))
	assert.NoFileExists(t, name)
	err := output.Check(output.Report[int]{Flag: "--b", To: name}, output.Report[int]{Flag: "--c", To: filepath.Dir(name) + "/../b/c.xml"})
	assert.ErrorContains(t, err, "--b and --c both write to ")
	assert.True(t, output.Taken(output.Report[int]{To: "x"}, output.Report[int]{To: "-"}))
	assert.False(t, output.Taken(output.Report[int]{To: "x"}))
}

// TestPrintSaysWhatCouldNotBePrinted, also where all that was printed fits into a buffer.
func TestPrintSaysWhatCouldNotBePrinted(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	require.NoError(t, output.Print(&text, func(w io.Writer) { fmt.Fprint(w, "a price") }))
	assert.Equal(t, "a price", text.String())
	closed, other := io.Pipe()
	require.NoError(t, closed.CloseWithError(errors.New("no space left")))
	require.EqualError(t, output.Print(other, func(w io.Writer) { fmt.Fprint(w, "a price") }), "no space left")
}
