// Command makewords makes tables/words.bin of package catalogue: the words of the
// nomenclatures that the program has (package nomenclature), and of two thirds of the
// index terms of the United Kingdom's tariff; of it and goods.txt tables/index.zst,
// which is what the program reads; and goods.txt, packed, tables/goods.zst. It needs the
// program zstd, which packs closer than its library for Go. Run it in the package's folder:
//
//	go run ./testdata/makewords testdata/uk-index-terms.csv
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
	"github.com/hsharness/hsharness/internal/nomenclature"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "makewords:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("want the file of index terms, got %d arguments", len(os.Args)-1)
	}
	raw, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil {
		return err
	}
	lexicon := make(catalogue.Lexicon)
	chapters(lexicon)
	for _, row := range rows[1:] { // set,code,title
		code, term := row[1], row[2]
		if _, known := nomenclature.Heading(code[:4]); known && !catalogue.Unseen(term) {
			if !nomenclature.Exists(code[:6]) {
				code = code[:4] // an index may be of an older edition
			}
			lexicon.Add(code, term, 1.5)
		}
	}
	packed, err := lexicon.Pack()
	if err != nil {
		return err
	}
	if err := os.WriteFile("tables/words.bin", packed, 0o644); err != nil { //nolint:gosec // it is no secret
		return err
	}
	fmt.Printf("| `words.bin` | %d | %d | `%x` | `%x` |\n", len(lexicon), len(packed), sha256.Sum256(packed), sha256.Sum256(raw))
	goods, err := os.ReadFile("goods.txt")
	if err != nil {
		return err
	}
	made, err := catalogue.MakeDefault(string(goods), packed)
	if err != nil {
		return err
	}
	for _, table := range []struct {
		name string
		data []byte
	}{{"goods", goods}, {"index", made.AppendIndex(nil)}} {
		packed, err := compress(table.data)
		if err != nil {
			return err
		}
		if err := os.WriteFile("tables/"+table.name+".zst", packed, 0o644); err != nil { //nolint:gosec // it is no secret
			return err
		}
	}
	return nil
}

// compress packs b as closely as Zstandard can.
func compress(b []byte) ([]byte, error) {
	zstd := exec.Command("zstd", "-19", "-c") //nolint:noctx // it ends by itself
	zstd.Stdin, zstd.Stderr = bytes.NewReader(b), os.Stderr
	return zstd.Output()
}

// chapters adds the texts of the Harmonized System, of the HTS and of the CN.
func chapters(lexicon catalogue.Lexicon) {
	schedules := nomenclature.NewSchedules(nil)
	us, _ := schedules.Of("US")
	eu, _ := schedules.Of("DE")
	for chapter := 1; chapter < 99; chapter++ {
		digits := fmt.Sprintf("%02d", chapter)
		for _, l := range nomenclature.HS().Under(digits) {
			if len(l.Code) > 2 {
				lexicon.Add(l.Code, l.Text(), 1)
			}
		}
		for _, l := range eu.Under(digits) {
			lexicon.Add(l.Code, l.Text(), 1)
		}
		steps(lexicon, us.Under(digits))
	}
}

// steps adds each step of a schedule's descriptions once for a heading: under the
// six-digit code that has it, or the whole heading where several have.
func steps(lexicon catalogue.Lexicon, lines []nomenclature.Line) {
	type step struct{ heading, text string }
	codes := make(map[step]string)
	weight := make(map[step]float64)
	var order []step
	for _, l := range lines {
		for i, text := range l.Path {
			if _, known := nomenclature.Heading(l.Code[:4]); !known || text == "Other" {
				continue
			}
			s := step{l.Code[:4], text}
			switch code, seen := codes[s]; {
			case !seen:
				order = append(order, s)
				codes[s], weight[s] = l.Code[:6], 0.7
				if i == 0 {
					weight[s] = 1
				}
			case code != l.Code[:6]:
				codes[s] = l.Code[:4]
			}
		}
	}
	for _, s := range order {
		lexicon.Add(codes[s], s.text, weight[s])
	}
}
