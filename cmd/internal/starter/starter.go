// Package starter writes the files with which a project begins. It may touch the
// folder that it is given, and nothing else.
package starter

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/project"
)

//go:embed files
var embedded embed.FS

// places says where each file of a starter goes. The Go test is for folders with a
// go.mod alone.
var places = []struct {
	from, to string
	goOnly   bool
}{
	{"hsharness.yaml", project.Name, false},
	{"classify.yaml", "scenarios/classify.yaml", false},
	{"expired_token.yaml", "scenarios/expired_token.yaml", false},
	{"workflow.yml", ".github/workflows/hsharness.yml", false},
	{"starter_test.go.txt", "hsharness/starter_test.go", true},
}

// ignored is kept out of git: the ledger, and answers with secrets in them.
const ignored = ".hsharness/"

// Done is what became of each file, in the order of writing.
type Done struct {
	Written []string `json:"written"`
	// Kept were there already.
	Kept []string `json:"kept"`
}

// Write writes a starter into a folder, which it makes. What is there already stays
// as it is, but for a .gitignore, to which a line is added.
func Write(dir string) (Done, error) {
	done := Done{Written: []string{}, Kept: []string{}}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	isGo := err == nil
	for _, f := range places {
		if f.goOnly && !isGo {
			continue
		}
		text, err := embedded.ReadFile("files/" + f.from)
		if err != nil {
			return done, err
		}
		fresh, err := writeNew(filepath.Join(dir, filepath.FromSlash(f.to)), text)
		if err != nil {
			return done, err
		}
		done.note(f.to, fresh)
	}
	fresh, err := ignore(filepath.Join(dir, ".gitignore"))
	done.note(".gitignore", fresh)
	return done, err
}

func (d *Done) note(name string, fresh bool) {
	if fresh {
		d.Written = append(d.Written, name)
	} else {
		d.Kept = append(d.Kept, name)
	}
}

// writeNew writes a file that is not there yet.
func writeNew(name string, text []byte) (fresh bool, err error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return false, err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(text)
	return true, errors.Join(err, f.Close())
}

// ignore adds .hsharness to a .gitignore that does not name it.
func ignore(name string) (fresh bool, err error) {
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if slices.Contains(strings.Split(string(text), "\n"), ignored) {
		return false, nil
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return true, os.WriteFile(name, append(text, ignored+"\n"...), 0o644)
}
