package nomenclature

import (
	"fmt"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/pattern"
)

// next is when the Harmonized System's next edition enters into force.
var next = time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)

// inBody is a destination in a request's body.
var inBody = pattern.New(`(?i)"(?:country_?of_?destination|destination(?:_?country)?|country(?:_?code)?)"\s*:\s*"\s*([a-z]{2})\s*"`)

// InForce names the editions that hold on a day for what a request asks: that of the
// Harmonized System and, where all its destinations have one of the schedules that the
// program knows, that of the year. Which the service really uses it does not say.
func InForce(day time.Time, request []byte) string {
	edition := hs.edition
	if !day.Before(next) {
		edition = fmt.Sprintf("HS %d", next.Year())
	}
	national := ""
	for _, m := range inBody.Regexp().FindAllSubmatch(request, -1) {
		t, ok := builtIn(strings.ToUpper(string(m[1])))
		if !ok {
			return edition
		}
		name, _, _ := strings.Cut(t.edition, " ")
		if national != "" && national != name {
			return edition
		}
		national = name
	}
	if national == "" {
		return edition
	}
	return fmt.Sprintf("%s, %s %d", edition, national, day.UTC().Year())
}
