package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/project"
)

//go:embed starter
var starter embed.FS

// starterFiles says where each file of a starter goes. The Go test is for
// folders with a go.mod alone.
var starterFiles = []struct {
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

func (p *program) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FOLDER]",
		Short: "Write a starter that passes at once",
		Long: `Writes a project file, two scenarios, a CI workflow and, where there is a go.mod, a
Go test, and keeps .hsharness out of git. A file that is there already is left as
it is, and said so.`,
		Example: `  hsharness init
  hsharness init shop && cd shop && hsharness run`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			done, err := writeStarter(dir)
			if err != nil {
				return usageError(err)
			}
			return p.printStarter(done)
		},
	}
}

// written is what init did, as JSON.
type written struct {
	Written []string `json:"written"`
	// Kept were there already.
	Kept []string `json:"kept"`
}

func writeStarter(dir string) (written, error) {
	done := written{Written: []string{}, Kept: []string{}}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	isGo := err == nil
	for _, f := range starterFiles {
		if f.goOnly && !isGo {
			continue
		}
		text, err := starter.ReadFile("starter/" + f.from)
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

func (w *written) note(name string, fresh bool) {
	if fresh {
		w.Written = append(w.Written, name)
	} else {
		w.Kept = append(w.Kept, name)
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

func (p *program) printStarter(done written) error {
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(done)
	}
	for _, name := range done.Written {
		fmt.Fprintf(p.stdout, "wrote  %s\n", name)
	}
	for _, name := range done.Kept {
		fmt.Fprintf(p.stdout, "kept   %s, which was there already\n", name)
	}
	if p.quiet {
		return nil
	}
	_, err := fmt.Fprintln(p.stdout, "\nnext: hsharness run")
	return err
}
