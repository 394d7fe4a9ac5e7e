package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ours is the path that the modules of this tree begin with.
const ours = "github.com/hsharness/hsharness"

// part is what somebody else made: a module, or what comes with Go.
type part struct {
	path, version string
	dir           string
	folders       map[string]bool // those of its linked packages, which may have terms of their own
	licences      []licence
}

type licence struct{ name, text string }

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir string
	Standard        bool
	Module          *struct{ Path, Version, Dir string }
}

// linked are the parts of a command on some systems, in the order of their names.
func linked(command string, systems []string) ([]part, error) {
	if len(systems) == 0 {
		return nil, errors.New("no system is named: linux/amd64, for one")
	}
	all := map[string]*part{}
	for _, system := range systems {
		packages, err := list(command, system)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", system, err)
		}
		for _, p := range packages {
			if p.Standard || p.Module == nil || p.Module.Path == ours || strings.HasPrefix(p.Module.Path, ours+"/") {
				continue
			}
			m := all[p.Module.Path]
			if m == nil {
				m = &part{path: p.Module.Path, version: p.Module.Version, dir: p.Module.Dir, folders: map[string]bool{}}
				all[m.path] = m
			}
			m.folders[p.Dir] = true
		}
	}
	parts := make([]part, 0, len(all)+1)
	for _, m := range all {
		if err := m.read(); err != nil {
			return nil, err
		}
		parts = append(parts, *m)
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.path, b.path) })
	std, err := standard()
	return append([]part{std}, parts...), err
}

// list asks Go for the packages that a command links.
func list(command, system string) ([]listed, error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return nil, errors.New("a system is named as in linux/amd64")
	}
	c := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard,Module", command)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, err
	}
	var packages []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages = append(packages, p)
	}
}

// standard is what comes with Go: its library, its runtime, and what of golang.org/x is
// a part of them, under the same terms. The version is the one that the tree asks for.
func standard() (part, error) {
	work, err := os.ReadFile("go.work")
	if err != nil {
		return part{}, err
	}
	version := regexp.MustCompile(`(?m)^go (.*)$`).FindSubmatch(work)
	if version == nil {
		return part{}, errors.New("go.work: no line says which Go it is for")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return part{}, err
	}
	dir := strings.TrimSpace(string(root))
	std := part{path: "The Go standard library and runtime", version: string(version[1]), dir: dir, folders: map[string]bool{dir: true}}
	return std, std.read()
}

// terms are the names of files that have terms, or ask for a notice.
var terms = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents)([.-][a-z0-9.-]*)?$`)

// read finds the terms in the folders of the linked packages, and in all above them.
func (p *part) read() error {
	folders := map[string]bool{}
	for folder := range p.folders {
		for within := true; within; folder = filepath.Dir(folder) {
			folders[folder] = true
			within = folder != p.dir && len(folder) > len(p.dir)
		}
	}
	var found []string
	for folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Type().IsRegular() && terms.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go" {
				found = append(found, filepath.Join(folder, e.Name()))
			}
		}
	}
	slices.Sort(found)
	for _, name := range found {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(p.dir, name)
		if err != nil {
			return err
		}
		text := strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))
		if text == "" {
			return fmt.Errorf("%s %s: %s is empty", p.path, p.version, short)
		}
		p.licences = append(p.licences, licence{filepath.ToSlash(short), text})
	}
	return nil
}
