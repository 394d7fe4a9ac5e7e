package harness

import (
	"github.com/hsharness/hsharness/internal/nomenclature"
)

// LegalCode tells whether a code can be declared in a country (ISO 3166-1 alpha-2): nil
// where it can. Dots and spaces in it do not matter. The codes are those of HTS 2026 for
// the United States, of CN 2026 for the countries of the European Union, and of the
// schedules of the nearest hsharness.yaml. Without a country it is nil for any code of
// six digits or more whose subheading HS 2022 has. Where there is no schedule the error
// says that nobody knows.
func LegalCode(country, code string) error {
	s, err := Options{}.schedules()
	if err != nil {
		return err
	}
	return s.Legal(country, code)
}

// schedules are those of the project, and the test's own, which win.
func (o Options) schedules() (*nomenclature.Schedules, error) {
	p, err := nearest()
	if err != nil {
		return nil, err
	}
	return p.OpenSchedules(o.Schedules)
}
