// Command maketables makes the tables of package nomenclature from their sources:
//
//	go run ./internal/nomenclature/testdata/maketables -hs harmonized-system.csv -hts us-hts-2026.csv -cn eu-cn-2026.csv
//
// Each source is a CSV with a column description, and one called code or hscode. It
// writes the tables into internal/nomenclature/tables, and prints the digests of
// sources and tables for the README there.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

func main() {
	var hs, hts, cn, out string
	flag.StringVar(&hs, "hs", "", "HS 2022, six digits and their headings")
	flag.StringVar(&hts, "hts", "", "HTS 2026, ten digits")
	flag.StringVar(&cn, "cn", "", "CN 2026, eight digits")
	flag.StringVar(&out, "out", "internal/nomenclature/tables", "the folder of the tables")
	flag.Parse()
	for _, table := range []struct {
		source, name string
		lengths      []int
	}{{hs, "hs2022.bin", []int{2, 4, 6}}, {hts, "hts2026.bin", []int{10}}, {cn, "cn2026.bin", []int{8}}} {
		if table.source == "" {
			continue
		}
		if err := made(table.source, filepath.Join(out, table.name), table.lengths); err != nil {
			fmt.Fprintf(os.Stderr, "maketables: %s: %v\n", table.source, err)
			os.Exit(1)
		}
	}
}

// made makes one table.
func made(source, table string, lengths []int) error {
	raw, err := os.ReadFile(source) //nolint:gosec // the file was named
	if err != nil {
		return err
	}
	lines, err := read(raw, lengths)
	if err != nil {
		return err
	}
	data, err := nomenclature.Pack(lines)
	if err != nil {
		return err
	}
	if err := os.WriteFile(table, data, 0o644); err != nil { //nolint:gosec // part of the sources
		return err
	}
	fmt.Printf("| `%s` | %d | %d | `%x` | `%x` |\n", filepath.Base(table), len(lines), len(data), sha256.Sum256(data), sha256.Sum256(raw))
	return nil
}

// read takes the rows whose codes have one of the lengths. The rows of a source that
// are no codes of goods are left out: the total, and goods not specified (99 of the
// Harmonized System).
func read(raw []byte, lengths []int) ([]nomenclature.Line, error) {
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff")))).ReadAll()
	if err != nil {
		return nil, err
	}
	code, description := max(slices.Index(rows[0], "code"), slices.Index(rows[0], "hscode")), slices.Index(rows[0], "description")
	if code < 0 || description < 0 {
		return nil, fmt.Errorf("its columns are %s", strings.Join(rows[0], ", "))
	}
	var lines []nomenclature.Line
	for _, row := range rows[1:] {
		if c := row[code]; slices.Contains(lengths, len(c)) && (lengths[0] > 2 || !strings.HasPrefix(c, "99")) {
			line := nomenclature.Line{Code: c}
			for step := range strings.SplitSeq(row[description], " — ") {
				line.Path = append(line.Path, strings.Join(strings.Fields(step), " "))
			}
			lines = append(lines, line)
		}
	}
	slices.SortFunc(lines, func(a, b nomenclature.Line) int { return strings.Compare(a.Code, b.Code) })
	for i, l := range lines {
		if strings.Trim(l.Code, "0123456789") != "" || i > 0 && lines[i-1].Code == l.Code {
			return nil, fmt.Errorf("%s is no code, or there twice", l.Code)
		}
	}
	return lines, nil
}
