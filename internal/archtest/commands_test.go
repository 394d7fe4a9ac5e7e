package archtest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mostCommandLines is how long package main may be: it has the flags of the commands, and
// what they do stands in packages that can be tested without a process.
const mostCommandLines = 4499

func TestCommandsAreThin(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(os.DirFS("../.."), "cmd/hsharness/*.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
	}
	if lines < 1000 || lines > mostCommandLines {
		t.Errorf("cmd/hsharness has %d lines, want %d at most: move what a command does to cmd/internal", lines, mostCommandLines)
	}
}
