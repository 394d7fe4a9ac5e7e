package typed

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

// Schedules is a repeatable flag COUNTRY=FILE: files by country.
type Schedules map[string]string

// Set reads one.
func (s *Schedules) Set(text string) error {
	country, file, err := nomenclature.ParseSchedule(text)
	if err != nil {
		return err
	}
	if (*s)[country] != "" {
		return errors.New("two files for " + country)
	}
	if *s == nil {
		*s = Schedules{}
	}
	(*s)[country] = file
	return nil
}

// Type is what pflag calls a value: the usage has its name.
func (s *Schedules) Type() string { return "string" }

// String is what help calls the default: nothing.
func (s *Schedules) String() string {
	var all []string
	for _, country := range slices.Sorted(maps.Keys(*s)) {
		all = append(all, country+"="+(*s)[country])
	}
	return strings.Join(all, " ")
}
