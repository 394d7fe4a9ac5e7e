// Command maketables makes the tables of package nomenclature from their sources:
//
//	go run ./internal/nomenclature/testdata/maketables -hs harmonized-system.csv -hts us-hts-2026.csv -cn eu-cn-2026.csv
//
// Each source is a CSV with a column description, and one called code or hscode. It
// writes internal/nomenclature/tables/codes.bin, by the program zstd, which packs closer
// than its library for Go, and prints the digests for the README there.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

func main() {
	var hs, hts, cn, out string
	flag.StringVar(&hs, "hs", "", "HS 2022, six digits and their headings")
	flag.StringVar(&hts, "hts", "", "HTS 2026, ten digits")
	flag.StringVar(&cn, "cn", "", "CN 2026, eight digits")
	flag.StringVar(&out, "out", "internal/nomenclature/tables/codes.bin", "the file of the tables")
	flag.Parse()
	if err := made(out, []source{{"HS 2022", hs, []int{2, 4, 6}}, {"HTS 2026", hts, []int{10}}, {"CN 2026", cn, []int{8}}}); err != nil {
		fmt.Fprintf(os.Stderr, "maketables: %v\n", err)
		os.Exit(1)
	}
}

// source is what a table is made from.
type source struct {
	edition, file string
	lengths       []int // of its codes, in digits
}

// made makes the file of the tables.
func made(out string, sources []source) error {
	var tables [][]nomenclature.Line
	for _, s := range sources {
		raw, err := os.ReadFile(s.file)
		if err != nil {
			return err
		}
		lines, err := read(raw, s.lengths)
		if err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
		fmt.Printf("| %s | %d | `%x` |\n", s.edition, len(lines), sha256.Sum256(raw))
		tables = append(tables, lines)
	}
	data, err := nomenclature.Pack(compress, tables...)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d bytes, `%x`\n", len(data), sha256.Sum256(data))
	return os.WriteFile(out, data, 0o644) //nolint:gosec // part of the sources
}

// compress packs b as closely as Zstandard can.
func compress(b []byte) ([]byte, error) {
	zstd := exec.Command("zstd", "-19", "-c") //nolint:noctx // it ends by itself
	zstd.Stdin, zstd.Stderr = bytes.NewReader(b), os.Stderr
	return zstd.Output()
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
