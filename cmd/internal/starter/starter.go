// Package starter writes the files with which a project begins, and says what has to
// be typed for them to pass. It may touch the folder that it is given, and the
// workflows of the repository that the folder is in.
package starter

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/scenario"
)

//go:embed files
var embedded embed.FS

// ignored is kept out of git: the ledger, and answers with secrets in them.
const ignored = ".hsharness/"

// Done is what became of each file, in the order of writing, and what comes next.
// Names have slashes, and are relative to the folder.
type Done struct {
	Written []string `json:"written"`
	// Kept were there already.
	Kept []string `json:"kept"`
	// Added are lines that a file which was there already has now, as "line to file".
	Added []string `json:"added"`
	// Languages are those that there is a test for.
	Languages []string `json:"languages"`
	// Fetch are the commands that bring hsharness into the project, in their order;
	// Next are those that run what was written.
	Fetch [][]string `json:"fetch"`
	Next  [][]string `json:"next"`
	// Unknown says that a test needs hsharness and nobody knows where it is.
	Unknown bool `json:"unknown,omitempty"`
	// Folder is where Fetch and Next are typed; empty is here.
	Folder string `json:"folder,omitempty"`
}

// Write writes a starter into a folder, which it makes, for the languages that are
// asked for, or those whose files it has. What is there already stays as it is, but
// for a .gitignore, to which a line is added.
func Write(dir string, asked []string, origin Origin) (Done, error) {
	done := Done{Written: []string{}, Kept: []string{}, Added: []string{}, Languages: []string{}, Fetch: [][]string{}, Next: [][]string{{"hsharness", "run"}}}
	if filepath.Clean(dir) != "." {
		done.Folder = dir
	}
	for _, name := range asked {
		if !slices.Contains(Names(), name) {
			return done, fmt.Errorf("there is no test for %q: %s", name, strings.Join(Names(), ", "))
		}
	}
	found, err := languages(dir, asked, origin)
	if err != nil {
		return done, err
	}
	s := sheet{dir: dir, done: &done, published: origin.Version != ""}
	s.write("hsharness.yaml", project.Name)
	s.write("classify.yaml", "scenarios/classify.yaml")
	s.write("expired_token.yaml", "scenarios/expired_token.yaml")
	for _, l := range found {
		s.write(l.from, l.to)
		done.Languages = append(done.Languages, l.name)
		done.Fetch = append(done.Fetch, l.fetch...)
		done.Next = append(done.Next, l.test)
	}
	if origin == (Origin{}) && len(done.Fetch) > 0 {
		done.Fetch, done.Unknown = [][]string{}, true
	}
	s.workflow(found, origin)
	s.schemas()
	s.ignore()
	return done, s.err
}

// sheet is a starter that is being written. After an error it writes nothing more.
type sheet struct {
	dir       string
	done      *Done
	published bool
	err       error
}

// write writes one of the embedded files.
func (s *sheet) write(from, to string) {
	text, err := embedded.ReadFile("files/" + from)
	if err != nil {
		s.err = errors.Join(s.err, err)
		return
	}
	if strings.HasSuffix(to, ".yaml") {
		text = append([]byte(s.schemaLine(to)), text...)
	}
	s.writeNew(to, text)
}

// schemaLine says to an editor where the schema of a file is: that of a release is on
// the web, and that of a clone beside the ledger.
func (s *sheet) schemaLine(name string) string {
	schema, id, up := "hsharness.schema.json", project.SchemaID, ""
	if name != project.Name {
		schema, id, up = "scenario.schema.json", scenario.SchemaID, "../"
	}
	if !s.published {
		id = up + ignored + schema
	}
	return "# yaml-language-server: $schema=" + id + "\n"
}

// schemas writes them where the files of a clone's starter look for them.
func (s *sheet) schemas() {
	if s.published || s.err != nil {
		return
	}
	for name, text := range map[string][]byte{"hsharness.schema.json": project.Settings().Schema(), "scenario.schema.json": scenario.Schema()} {
		name, err := s.place(ignored + name)
		if err == nil {
			err = files.Replace(name, text)
		}
		s.err = errors.Join(s.err, err)
	}
}

// workflow writes a CI workflow into the repository that the folder is in: GitHub
// reads those at its root alone.
func (s *sheet) workflow(found []language, origin Origin) {
	text, err := embedded.ReadFile("files/workflow.yml")
	if err != nil {
		s.err = errors.Join(s.err, err)
		return
	}
	up, below := repository(s.dir)
	name, where := up+".github/workflows/hsharness.yml", ""
	if below != "." {
		name = up + ".github/workflows/hsharness-" + strings.ReplaceAll(below, "/", "-") + ".yml"
		where = "defaults: { run: { working-directory: " + quoted(below) + " } }\n"
	}
	install := "      - run: go install " + Module + "/cmd/hsharness@" + origin.Version + "\n"
	if origin.Version == "" {
		install = `      # hsharness is not published yet: a job builds it from its repository.
      - uses: actions/checkout@v4
        with: { repository: hsharness/hsharness, path: .hsharness/source }
      - run: make install
        working-directory: .hsharness/source
`
	}
	steps := ""
	for _, l := range found {
		steps += l.steps
	}
	for _, part := range [][2]string{{"# defaults\n", where}, {"      # install\n", install}, {"      # tests\n", steps}} {
		text = bytes.Replace(text, []byte(part[0]), []byte(part[1]), 1)
	}
	s.writeNew(name, text)
}

// quoted is a folder's name as YAML has it.
func quoted(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }

// repository is the way from a folder up to the root of the git repository that it is
// in, and back down to it: both of nothing where there is none.
func repository(dir string) (up, below string) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return "", "."
	}
	for folder := at; ; folder = filepath.Dir(folder) {
		if exists(filepath.Join(folder, ".git")) {
			rel, err := filepath.Rel(folder, at)
			if err != nil {
				return "", "."
			}
			return up, filepath.ToSlash(rel)
		}
		if filepath.Dir(folder) == folder {
			return "", "."
		}
		up += "../"
	}
}

// place is the name of a file that is to be written, and makes its folder. A repository of
// somebody else may have links, which would have files of this user written elsewhere.
func (s *sheet) place(to string) (string, error) {
	name := filepath.Join(s.dir, filepath.FromSlash(to))
	if err := files.Folder(s.dir, 0o755); err != nil {
		return "", err
	}
	leads, err := files.Real(name)
	if err != nil {
		return "", err
	}
	up, _ := repository(s.dir)
	for _, root := range []string{s.dir, filepath.Join(s.dir, up)} {
		if root, err = filepath.Abs(root); err == nil {
			root, err = filepath.EvalSymlinks(root)
		}
		if err != nil {
			return "", err
		}
		below, err := filepath.Rel(root, leads)
		if err == nil && filepath.IsLocal(below) && !slices.Contains(strings.Split(below, string(filepath.Separator)), ".git") {
			return name, files.Folder(filepath.Dir(name), 0o755)
		}
	}
	return "", fmt.Errorf("%s is by a link %s, which is elsewhere or git's own, and is not written: remove the link %s", name, leads, s.link(name))
}

// link is the first link on the way to a file, or the file.
func (s *sheet) link(name string) string {
	first := name
	for at := name; len(at) > len(s.dir); at = filepath.Dir(at) {
		if info, err := os.Lstat(at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			first = at
		}
	}
	return first
}

// writeNew writes a file that is not there yet.
func (s *sheet) writeNew(to string, text []byte) {
	if s.err != nil {
		return
	}
	if exists(filepath.Join(s.dir, filepath.FromSlash(to))) {
		s.done.Kept = append(s.done.Kept, to)
		return
	}
	name, err := s.place(to)
	if err == nil {
		err = files.New(name, text, 0o644)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		s.done.Kept = append(s.done.Kept, to)
	case err != nil:
		s.err = err
	default:
		s.done.Written = append(s.done.Written, to)
	}
}

// ignore adds .hsharness to a .gitignore that does not name it.
func (s *sheet) ignore() {
	const to = ".gitignore"
	name := filepath.Join(s.dir, to)
	if !exists(name) {
		s.writeNew(to, []byte(ignored+"\n"))
		return
	}
	text, err := files.Read(name, files.Text)
	if s.err = errors.Join(s.err, err); s.err != nil {
		return
	}
	named := func(line string) bool { return strings.TrimSpace(line) == ignored } // and no comment that tells of it
	if slices.ContainsFunc(strings.Split(string(text), "\n"), named) {
		s.done.Kept = append(s.done.Kept, to)
		return
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	if _, s.err = s.place(to); s.err != nil {
		return
	}
	s.err = files.Replace(name, append(text, ignored+"\n"...))
	s.done.Added = append(s.done.Added, ignored+" to "+to)
}
