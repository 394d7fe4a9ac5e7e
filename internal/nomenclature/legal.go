package nomenclature

import (
	"fmt"
	"strings"
)

// Schedules are the tables that codes are judged by: those that come with the
// program, and the files of a user, which win. Nil is those of the program alone.
type Schedules struct{ own map[string]*Table }

// Union is what a schedule is for that holds in all countries of the European Union.
const Union = "EU"

// NewSchedules adds a user's tables, by country (ISO 3166-1 alpha-2, upper case) or
// [Union].
func NewSchedules(own map[string]*Table) *Schedules { return &Schedules{own} }

// Of is the table of a country.
func (s *Schedules) Of(country string) (*Table, bool) {
	country = strings.ToUpper(country)
	if s != nil {
		if t, ok := s.own[country]; ok {
			return t, true
		}
		if t, ok := s.own[Union]; ok && inUnion(country) {
			return t, true
		}
	}
	return builtIn(country)
}

// Edition names the editions that a country's codes are of: HS 2022, HTS 2026. For a
// country without a table, and for none, it is the Harmonized System's alone.
func (s *Schedules) Edition(country string) string {
	if t, ok := s.Of(country); ok {
		return hs.edition + ", " + t.edition
	}
	return hs.edition
}

// NotLegalError says that a code is none that can be declared.
type NotLegalError struct {
	Code    string // as it was given
	Country string // empty where any code of the Harmonized System would do
	Edition string // the table it was looked for in
	Why     string
}

func (e *NotLegalError) Error() string { return e.Code + " " + e.Why }

// NoScheduleError says that nobody knows: the six digits exist, and there is no table
// of the country, or none of codes so long.
type NoScheduleError struct {
	Code, Country string
	Why           string
}

func (e *NoScheduleError) Error() string { return e.Code + " can't be judged: " + e.Why }

// Legal tells whether a code can be declared in a country; dots and spaces in it do not
// matter. Without a country it takes any code of six digits or more whose six digits
// the Harmonized System has. The error is a [*NotLegalError] or a [*NoScheduleError].
func (s *Schedules) Legal(country, code string) error {
	country = strings.ToUpper(strings.TrimSpace(country))
	plain := Digits(code)
	table, known := s.Of(country)
	no := func(edition, why string, args ...any) error {
		return &NotLegalError{code, country, edition, fmt.Sprintf(why, args...)}
	}
	switch {
	case plain == "":
		return &NotLegalError{fmt.Sprintf("%q", code), country, hs.edition, "is no code: a code is digits, which dots or spaces may part"}
	case len(plain) < 6:
		return no(hs.edition, "is too short: a code has six digits or more")
	case known:
		return table.legal(country, code, plain)
	case !Exists(plain[:6]) && (plain[:2] < "98" || country == ""): // a country's own chapters
		return no(hs.edition, "is no code of %s: it has no subheading %s", hs.edition, plain[:6])
	case country != "":
		return &NoScheduleError{code, country, "there is no schedule for " + country}
	}
	return nil
}

// legal looks for the code among the lines.
func (t *Table) legal(country, code, plain string) error {
	if _, ok := t.Find(plain); ok {
		return nil
	}
	no := &NotLegalError{code, country, t.edition, ""}
	under := t.Under(plain[:6])
	if len(plain) > t.digits {
		if _, ok := t.Find(plain[:t.digits]); ok && t == cn {
			return &NoScheduleError{code, country, fmt.Sprintf("%s has the %d digits %s, and there is no schedule for %s with more",
				t.edition, t.digits, plain[:t.digits], country)}
		}
	}
	switch {
	case len(under) == 0 && plain[:2] < "98" && !Exists(plain[:6]):
		no.Why = fmt.Sprintf("is no code of %s: there is no subheading %s", t.edition, plain[:6])
	case len(under) == 0:
		no.Why = fmt.Sprintf("is no line of %s, which has none under %s", t.edition, plain[:6])
	case len(plain) == 6:
		no.Why = fmt.Sprintf("can't be declared in %s: %s has %d lines under it, the first %s", country, t.edition, len(under), under[0].Code)
	case len(under) == 1:
		no.Why = fmt.Sprintf("is no line of %s: under %s there is %s alone", t.edition, plain[:6], under[0].Code)
	default:
		no.Why = fmt.Sprintf("is no line of %s: under %s there are %d, from %s to %s", t.edition, plain[:6],
			len(under), under[0].Code, under[len(under)-1].Code)
	}
	return no
}

// parted is what people part codes with.
var parted = strings.NewReplacer(".", "", " ", "")

// Digits is a code without the dots and spaces that people write into it; empty for a
// text that is no code.
func Digits(code string) string {
	plain := parted.Replace(strings.TrimSpace(code))
	if plain == "" || strings.Trim(plain, "0123456789") != "" {
		return ""
	}
	return plain
}
