package report

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hsharness/hsharness/internal/hint/source"
	"github.com/hsharness/hsharness/quota"
)

// Answer is one of those that a report begins with.
type Answer struct {
	// ID is left, until, bought, who, wasted or next.
	ID string
	// Question is what it answers, Text the answer in a sentence or two.
	Question, Text string
	// Command is what to type next, or to see where the answer comes from.
	Command string
}

// Answers say how it stands: how much is left, until when, what it bought, who used
// it, what was wasted, and what to do now.
func (b Budget) Answers() []Answer {
	who, wasted := b.who(), b.wasted()
	next := b.Next()
	return []Answer{
		{"left", "How much is left?", b.leftText(), b.at(source.Status)},
		{"until", "Until when?", b.untilText(), b.paceSource()},
		{"bought", "What did it buy?", b.boughtText(), b.since(b.From, source.Filter{Flag: "became", Value: "new"})},
		{"who", "Who used it?", who.Text, who.Command},
		{"wasted", "What was wasted?", wasted.Text, wasted.Command},
		{"next", "What now?", next.Text, next.Command},
	}
}

// summary is what stands above everything else.
func (b Budget) summary() string {
	return strings.Join([]string{b.leftText(), b.untilText(), b.boughtText(), b.Next().Text}, " ")
}

// Standing is as much of it as the status alone says.
func Standing(s quota.Status, made time.Time) string {
	b := NewBudget(s, quota.Statement{}, made)
	text := []string{b.leftText()}
	if b.Exhausted || b.Left == 0 {
		text = append(text, b.untilText(), b.Next().Text)
	}
	return strings.Join(text, " ")
}

// Summary is what a report begins with, of a ledger as it is now, and the status of the
// same moment, with the warnings of s. Of one that can't be summed up, which is the error, it is as much as
// s says.
func Summary(ctx context.Context, s quota.Status, journal interface {
	Statement(ctx context.Context, since time.Time) (quota.Statement, error)
}, made time.Time) (quota.Status, string, error) {
	statement, err := journal.Statement(ctx, time.Time{})
	if err != nil {
		return s, Standing(s, made), err
	}
	now := statement.Status
	now.Warnings = s.Warnings
	return now, NewBudget(now, statement, made).Summary, nil
}

func (b Budget) leftText() string {
	return fmt.Sprintf("%s of %s are left for ordinary runs.", Number(b.Left), units(b.Granted))
}

func (b Budget) untilText() string {
	switch {
	case b.Bar != (quota.Bar{}):
		return fmt.Sprintf("No run may spend any of it: %s.", cell(b.Bar.String()))
	case b.Exhausted:
		return "No run may spend any of it: the service answered that nothing is left, or the ledger is barred."
	case b.Left == 0:
		return "No ordinary run may buy anything."
	case b.Forecast.TooEarly && !b.Begun.IsZero():
		return fmt.Sprintf("%s, and this ledger is %s old.", b.Forecast, age(b.Made.Sub(b.Begun)))
	}
	return b.Forecast.text(b.Made) + "."
}

// boughtText says what the latest time bought and saved, and the time before it.
func (b Budget) boughtText() string {
	when := fmt.Sprintf("The last %d days", latelyDays)
	switch {
	case b.Begun.After(b.From):
		when = "This ledger"
	case !b.Since.IsZero():
		when = "The time since " + b.sinceWhen()
	}
	text := fmt.Sprintf("%s bought %s and saved %s", when, count(b.Lately.Answers, "new answer"), count(b.Lately.Replayed, "request"))
	if b.Compared() {
		text += fmt.Sprintf("; as long before that: %s and %s", Number(b.Earlier.Answers), Number(b.Earlier.Replayed))
	}
	return text + "."
}

// latelyDays are those of Lately in a report without Since.
const latelyDays = 30

// Compared tells whether there was a time before this one.
func (b Budget) Compared() bool { return b.Earlier != (quota.Group{}) }

// who names the suite and the test that spent most.
func (b Budget) who() Answer {
	if b.Total.Spent == 0 || len(b.Suites) == 0 {
		return Answer{Text: "Nobody spent anything" + b.sinceText() + ".", Command: b.at(source.Runs)}
	}
	most := b.Suites[0]
	text := fmt.Sprintf("Most was spent by %s: %s of %s (%s)", subject("suite", most.Name), Number(most.Spent), units(b.Total.Spent), share(most.Spent, b.Total.Spent))
	if len(b.Suites) > 1 && b.Suites[1].Spent > 0 {
		text += fmt.Sprintf(", then %s: %s", subject("suite", b.Suites[1].Name), Number(b.Suites[1].Spent))
	}
	if len(b.Tests) > 0 && b.Tests[0].Name != "" {
		text += fmt.Sprintf(". The dearest test is %s: %s", Name(b.Tests[0].Name), Number(b.Tests[0].Spent))
	}
	return Answer{Text: text + ".", Command: b.Source(BySuite, most.Name)}
}

func (b Budget) wasted() Answer {
	again := ""
	if b.Total.Again > 0 {
		again = fmt.Sprintf(" %s bought again on purpose, and %s no waste.", wereUnits(b.Total.Again), are(int(b.Total.Again)))
	}
	if b.Wasted == 0 {
		return Answer{Text: "Nothing was wasted" + b.sinceText() + "." + again, Command: b.since(b.Since, source.Filter{Flag: "became", Value: "wasted"})}
	}
	w := b.Waste[0]
	text := fmt.Sprintf("%s of %s bought nothing new%s, %s of them because %s.", Number(b.Wasted), units(b.Total.Spent), b.sinceText(), Number(w.Units), w.Why)
	return Answer{Text: text + again, Command: w.Source}
}

// sinceText is where the report begins, unless that is with the ledger.
func (b Budget) sinceText() string {
	if b.Since.IsZero() {
		return ""
	}
	return " since " + b.sinceWhen()
}

// sinceWhen is the day on which the report begins, and the time of day unless that is its
// midnight.
func (b Budget) sinceWhen() string {
	at := b.Since.UTC()
	text := date(at.Format(time.DateOnly), b.Made)
	if !at.Equal(at.Truncate(day)) {
		text += at.Format(", 15:04 UTC")
	}
	return text
}

// Decision is what somebody has to do, in a sentence, and what to type for it.
type Decision struct{ Text, Command string }

// soonDays is how many days before the end of what is left more has to be asked for.
const soonDays = 14

// nothing is what is said where nothing needs a decision.
const nothing = "Nothing needs a decision."

// Next is what needs a decision first.
func (b Budget) Next() Decision {
	earliest, err := time.Parse(time.DateOnly, b.Forecast.Earliest)
	soon := err == nil && earliest.Before(b.Made.AddDate(0, 0, soonDays))
	suite, times := b.mostBlocked()
	switch {
	case b.Bar != (quota.Bar{}) && b.Bar.Reason != quota.Imported: // no reconciliation opens it
		return Decision{"Every run is blocked; the status says what to type.", b.at(source.Status)}
	case b.Exhausted:
		return Decision{"Say what the service has counted, or add what it granted: until then every run is blocked.", b.at(source.Reconcile)}
	case b.Granted == 0:
		return Decision{"Nothing was granted yet.", b.at(source.Grant)}
	case b.Left == 0:
		return Decision{b.moreText(), b.at(source.Grant)}
	case soon:
		return Decision{"Ask the service for more before " + date(b.Forecast.Earliest, b.Made) + ".", b.at(source.Grant)}
	case times > 0:
		return Decision{
			fmt.Sprintf("%s asks for more than it gets: blocked %s.", capital(subject("suite", suite)), count(times, "time")),
			b.since(b.From.Truncate(day), source.Filter{Flag: "kind", Value: "block"}, source.Filter{Flag: "suite", Value: suite}),
		}
	case b.Wasted*muchWaste > b.Total.Spent:
		return Decision{fmt.Sprintf("%s: %s.", capital(b.Waste[0].Mend), b.Waste[0].reason()), b.Waste[0].Source}
	}
	return Decision{nothing, b.at(source.Report)}
}

// moreText says what helps where nothing is left for ordinary runs.
func (b Budget) moreText() string {
	switch {
	case b.Usable+b.Held > 0:
		return "Ask the service for more, or wait until runs give back what they hold."
	case b.Available > 0:
		return fmt.Sprintf("Ask the service for more: the floor keeps the last %s back.", units(b.Available))
	}
	return "Ask the service for more."
}

// muchWaste: of so many units one may be wasted.
const muchWaste = 10

// mostBlocked is the suite that was blocked most since the day of From, and how often.
func (b Budget) mostBlocked() (suite string, times int64) {
	for name, days := range b.SuiteDays {
		n := int64(0)
		for _, d := range days {
			if !d.Start.Before(b.From.Truncate(day)) {
				n += d.Blocked
			}
		}
		if n > times || n == times && n > 0 && name < suite {
			suite, times = name, n
		}
	}
	return suite, times
}

// Number is a number for people: 1,320.
func Number(n int64) string {
	text := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// count is a number of things.
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

func units(n int64) string { return count(n, "unit") }

func wereUnits(n int64) string {
	if n == 1 {
		return "1 unit was"
	}
	return units(n) + " were"
}

// age is how old something is, in its largest unit.
func age(d time.Duration) string {
	switch {
	case d >= 2*day:
		return count(int64(d/day), "day")
	case d >= 2*time.Hour:
		return count(int64(d/time.Hour), "hour")
	}
	return count(int64(max(d, 0)/time.Minute), "minute")
}

// longestName is how many letters of a name a sentence has.
const longestName = 60

// Name is a name within a sentence or a table: on one line, not too long, and without
// a say in the direction of what stands around it. None is a dash.
func Name(name string) string {
	text := cell(name)
	if runes := []rune(text); len(runes) > longestName {
		text = string(runes[:longestName-1]) + "…"
	}
	if strings.ContainsFunc(text, fromTheRight) {
		const first, end = "\u2068", "\u2069" // isolate what has a direction of its own
		return first + text + end
	}
	return text
}

// fromTheRight are the letters that are written from right to left.
func fromTheRight(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam, unicode.Samaritan, unicode.Mandaic)
}

// subject is a group in a sentence.
func subject(of, name string) string {
	if name == "" {
		return "what names no " + of
	}
	return of + " " + Name(name)
}

// capital begins a sentence.
func capital(text string) string {
	return strings.ToUpper(text[:1]) + text[1:]
}
