package nomenclature

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// The longest and shortest code of a schedule, in digits: six are no country's own.
const (
	shortest = 7
	longest  = 14
)

// Read reads a user's schedule: a CSV, parted by commas or semicolons, whose first row
// names its columns. It needs a column code; description and edition may be there, and
// others are not looked at. All codes have the same length; dots and spaces in them do
// not matter. The name is for messages, which say line and column.
func Read(name string, r io.Reader) (*Table, error) {
	rows, err := readCSV(name, r)
	if err != nil {
		return nil, err
	}
	code, ok := rows.column("code")
	if !ok {
		return nil, rows.errorf(0, 0, "there is no column code among %s: the first row names the columns: code,description", strings.Join(rows.cells[0], ", "))
	}
	if len(rows.cells) == 1 {
		return nil, rows.errorf(0, 0, "there is no line in it")
	}
	length := rows.commonLength(code)
	description, described := rows.column("description")
	edition, dated := rows.column("edition")
	t := &Table{edition: filepath.Base(name), digits: length, open: make(map[string][]Line)}
	first := make(map[string]int)
	for i, cells := range rows.cells[1:] {
		at := i + 1
		plain, why := scheduleCode(cells[code], length)
		if why != "" {
			return nil, rows.errorf(at, code, "%s", why)
		}
		if before, twice := first[plain]; twice {
			return nil, rows.errorf(at, code, "%s stands on line %d, too", plain, rows.places[before][code].line)
		}
		first[plain] = at
		line := Line{Code: plain, Path: []string{""}}
		if described {
			line.Path = strings.Split(cells[description], " — ")
		}
		if dated {
			if is, was := cells[edition], rows.cells[1][edition]; is != was {
				return nil, rows.errorf(at, edition, "two editions are mixed: this line is of %q, the first of %q", is, was)
			}
			t.edition = cells[edition]
		}
		t.open[plain[:2]] = append(t.open[plain[:2]], line)
	}
	if t.edition == "" {
		t.edition = filepath.Base(name)
	}
	for _, lines := range t.open {
		slices.SortFunc(lines, func(a, b Line) int { return strings.Compare(a.Code, b.Code) })
	}
	return t, nil
}

// scheduleCode is a cell's code, or what is wrong with it.
func scheduleCode(cell string, length int) (plain, why string) {
	plain = Digits(cell)
	upper := strings.ToUpper(cell)
	switch {
	case strings.Contains(upper, "E+") && Digits(strings.Replace(upper, "E+", "", 1)) != "":
		return "", fmt.Sprintf("%s is a number that a spreadsheet rounded: format the column as text before the codes are put in", cell)
	case plain == "":
		return "", fmt.Sprintf("%q is no code: a code is digits, which dots or spaces may part", cell)
	case lostZero(plain, length):
		return "", fmt.Sprintf("%s has lost the zero that it begins with (0%s), as spreadsheets do: format the column as text before the codes are put in", cell, plain)
	case len(plain) < shortest:
		return "", fmt.Sprintf("%s has %d digits: a schedule has the whole code, %d digits or more", cell, len(plain), shortest)
	case len(plain) > longest:
		return "", fmt.Sprintf("%s has %d digits: the longest code has %d", cell, len(plain), longest)
	case len(plain) != length:
		return "", fmt.Sprintf("%s has %d digits, most lines have %d", cell, len(plain), length)
	case !Exists(plain[:6]) && plain[:2] < "98":
		return "", fmt.Sprintf("%s is of another edition: %s has no subheading %s", cell, hs.edition, plain[:6])
	}
	return plain, ""
}

// lostZero tells whether a code is one of the first nine chapters without its zero: it
// is a digit shorter than most, or none as it is and one with a zero.
func lostZero(plain string, length int) bool {
	if len(plain) < 6 || plain[0] == '0' || !Exists(("0" + plain)[:6]) {
		return false
	}
	return len(plain) == length-1 || len(plain) == length && !Exists(plain[:6]) && plain[:2] < "98"
}

// sheet is a CSV with the place of each cell.
type sheet struct {
	name   string
	cells  [][]string
	places [][]place
}

type place struct{ line, column int }

func readCSV(name string, r io.Reader) (*sheet, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	text := strings.TrimPrefix(string(raw), "\ufeff")
	head, _, _ := strings.Cut(text, "\n")
	s := &sheet{name: name}
	reader := csv.NewReader(strings.NewReader(text))
	reader.TrimLeadingSpace = true
	if strings.Contains(head, ";") && !strings.Contains(head, ",") {
		reader.Comma = ';'
	}
	if at := crowded(text, byte(reader.Comma)); at >= 0 {
		line, column := 1+strings.Count(text[:at], "\n"), at-strings.LastIndexByte(text[:at], '\n')
		return nil, fmt.Errorf("%s:%d:%d: the file has more than %d cells, and no schedule does", name, line, column, maxCells)
	}
	for {
		row, err := reader.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF) && len(s.cells) == 0:
			return nil, fmt.Errorf("%s:1:1: the file is empty", name)
		case errors.Is(err, io.EOF):
			return s, nil
		case errors.As(err, &bad) && errors.Is(err, csv.ErrFieldCount):
			return nil, fmt.Errorf("%s:%d:%d: the row has %d cells, the first has %d", name, bad.Line, max(bad.Column, 1), len(row), len(s.cells[0]))
		case errors.As(err, &bad):
			return nil, fmt.Errorf("%s:%d:%d: %w", name, bad.Line, bad.Column, bad.Err)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		places := make([]place, len(row))
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
			places[i].line, places[i].column = reader.FieldPos(i)
		}
		s.cells, s.places = append(s.cells, row), append(s.places, places)
	}
}

// maxCells is how many cells a file may have. In memory each takes a hundred times what it
// takes there, where it may be a comma.
const maxCells = 3_000_000

// crowded is where a cell begins that is one too many, -1 if none does: each ends at a comma
// or with its line.
func crowded(text string, comma byte) int {
	cells := 0
	for i := range len(text) {
		if c := text[i]; c == comma || c == '\n' {
			if cells++; cells > maxCells {
				return i
			}
		}
	}
	return -1
}

func (s *sheet) errorf(row, column int, format string, args ...any) error {
	at := s.places[row][column]
	return fmt.Errorf("%s:%d:%d: %s", s.name, at.line, at.column, fmt.Sprintf(format, args...))
}

// column finds a column by its name in the first row.
func (s *sheet) column(name string) (int, bool) {
	i := slices.IndexFunc(s.cells[0], func(cell string) bool { return strings.EqualFold(cell, name) })
	return i, i >= 0
}

// commonLength is how many digits most codes have; of two as common, the longer.
func (s *sheet) commonLength(column int) int {
	counts := make(map[int]int)
	common := 0
	for _, cells := range s.cells[1:] {
		n := len(Digits(cells[column]))
		counts[n]++
		if c := counts[n]; n > 0 && (c > counts[common] || c == counts[common] && n > common) {
			common = n
		}
	}
	return common
}

// Open reads a user's schedules, by country or [Union]; the values are files.
func Open(schedules map[string]string, open func(name string) (io.ReadCloser, error)) (*Schedules, error) {
	own := make(map[string]*Table)
	for _, country := range slices.Sorted(maps.Keys(schedules)) {
		name := schedules[country]
		if err := CheckCountry(country); err != nil {
			return nil, err
		}
		file, err := open(name)
		if err != nil {
			return nil, fmt.Errorf("the schedule of %s: %w", country, err)
		}
		own[country], err = Read(name, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
	return NewSchedules(own), nil
}

// CheckCountry takes what a schedule can be of.
func CheckCountry(code string) error {
	if code == Union || IsCountry(code) {
		return nil
	}
	if code == "UK" {
		return errors.New("UK is no country of ISO 3166-1: write GB")
	}
	return fmt.Errorf("%q is no country: write its two letters of ISO 3166-1, such as GB, or EU for all of the Union", code)
}

// ParseSchedule reads COUNTRY=FILE.
func ParseSchedule(text string) (country, file string, err error) {
	country, file, ok := strings.Cut(text, "=")
	if !ok || file == "" {
		return "", "", errors.New("want COUNTRY=FILE, such as GB=tariff.csv")
	}
	return country, file, CheckCountry(country)
}
