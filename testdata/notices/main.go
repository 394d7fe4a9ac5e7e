// Command notices writes THIRD_PARTY_NOTICES: whose work the program links, on any of
// the systems of a release, and the text of each licence. With -check it writes nothing,
// and fails where the file is not what it would write.
//
// Usage, from the top of the tree: go run ./testdata/notices [-check] SYSTEM…, where a
// system is linux/amd64.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

const (
	file    = "THIRD_PARTY_NOTICES"
	command = "./cmd/hsharness"
)

// tables are the folders of what is no program: each has a page that says where it comes
// from, and under which terms, and the texts of those that ask for it.
var tables = []string{"internal/nomenclature/tables", "internal/mockapi/catalogue/tables"}

func main() {
	check := flag.Bool("check", false, "write nothing, and fail where "+file+" differs")
	flag.Parse()
	if err := run(*check, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(check bool, systems []string) error {
	parts, err := linked(command, systems)
	if err != nil {
		return err
	}
	if err := complete(parts); err != nil {
		return err
	}
	text, err := page(parts)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(file, text, 0o644)
	}
	is, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if line := differ(is, text); line > 0 {
		return fmt.Errorf("%s:%d: not what is linked now: make notices writes it", file, line)
	}
	return nil
}

// complete refuses what is under terms that nobody knows.
func complete(parts []part) error {
	for _, p := range parts {
		if len(p.licences) == 0 {
			return fmt.Errorf("%s %s is linked, and has no file that says under which terms", p.path, p.version)
		}
	}
	return nil
}

// differ is the first line that is not the same, 0 where all are.
func differ(a, b []byte) int {
	if bytes.Equal(a, b) {
		return 0
	}
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	n := 0
	for n < len(x) && n < len(y) && bytes.Equal(x[n], y[n]) {
		n++
	}
	return n + 1
}

// page is the file: first whose work it is, then what is no program, then the terms, each once.
func page(parts []part) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`What hsharness is made of, besides its own code (which is under LICENSE): whose it is,
and under which terms. "make notices" writes this file from what the program links on
the systems that it is released for, and "make licences" compares.

`)
	var all texts
	for _, p := range parts {
		fmt.Fprintf(&b, "%s %s: %s\n", p.path, p.version, all.add(p))
	}
	for _, folder := range tables {
		said, err := sources(folder + "/README.md")
		if err != nil {
			return nil, err
		}
		data := part{path: folder, dir: folder, folders: map[string]bool{folder: true}}
		if err := data.read(); err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "\nData that is a part of the program, of %s\n\n%s", strings.Join(slices.DeleteFunc([]string{folder, all.add(data)}, func(s string) bool { return s == "" }), ": "), said)
	}
	for i, t := range all.list {
		fmt.Fprintf(&b, "\n%s\n[%d] %s\n\n%s\n", strings.Repeat("=", 80), i+1, strings.Join(t.of, "\n    "), t.text)
	}
	return b.Bytes(), nil
}

// texts are those of the terms, each once, by the order in which they are first met.
type texts struct {
	list    []*text
	numbers map[string]int
}

type text struct {
	of   []string
	text string
}

// add takes the terms of a part, and names them.
func (t *texts) add(p part) string {
	var named []string
	for _, l := range p.licences {
		n, known := t.numbers[l.text]
		if !known {
			if t.numbers == nil {
				t.numbers = map[string]int{}
			}
			t.list = append(t.list, &text{text: l.text})
			n = len(t.list)
			t.numbers[l.text] = n
		}
		named = append(named, fmt.Sprintf("%s [%d]", l.name, n))
		t.list[n-1].of = append(t.list[n-1].of, p.path+": "+l.name)
	}
	return strings.Join(named, ", ")
}

// sources is what a page says before its second heading or its last table, which has
// checksums.
func sources(name string) (string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	said, _, found := strings.Cut(strings.ReplaceAll(string(data), "\r\n", "\n"), "\nThey are made by")
	if !found {
		said, _, found = strings.Cut(said, "\n`index.zst` is")
	}
	if !found {
		return "", fmt.Errorf("%s: where its terms end is not known", name)
	}
	_, said, _ = strings.Cut(said, "\n\n") // its title
	return said, nil
}
