package hook

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/secret"
	"github.com/hsharness/hsharness/quota"
)

// Message is what a hook is told. Its figures are those of when it was noted.
type Message struct {
	// ID is the same whenever a notice is sent.
	ID   string
	Mark notice.Mark
	// Rule is what refused a run, for [notice.Blocked].
	Rule      string
	Allowance string
	At        notice.Moment
	// Standing is how it stands when the message is sent, in the words of a report.
	Standing string
	// Sent is when that is; zero leaves out how long ago it was noted.
	Sent time.Time
	// Test marks one that is none.
	Test bool
}

// message is that of a notice.
func message(n notice.Notice, allowance, ledger string) Message {
	m := Message{ID: n.ID, Mark: n.Mark, Rule: n.Rule, Allowance: allowance, At: n.At}
	m.At.Ledger = ledger
	return m
}

// standing is how it stood when it was noted.
func (m Message) standing() string {
	a := m.At
	return report.Standing(quota.Status{
		Granted: a.Granted, Spent: a.Spent, Held: a.Held, Floor: a.Floor, Available: a.Left() + a.Floor, Usable: a.Left(), Exhausted: a.Exhausted,
	}, a.Time)
}

// masked is the message without secrets.
func (m Message) masked(secrets *secret.Finder) Message {
	m.Allowance, m.Rule, m.Standing = secrets.Mask(m.Allowance), secrets.Mask(m.Rule), secrets.Mask(m.Standing)
	return m
}

// longAgo is how old a notice is whose message says when it was noted.
const longAgo = 10 * time.Minute

// Text is the message: what happened, and how it stands.
func (m Message) Text() string {
	a := m.At
	spent := fmt.Sprintf("%s of %s units are spent", report.Number(a.Spent), report.Number(a.Granted))
	what := fmt.Sprintf("%s, %s or more", spent, m.Mark)
	switch m.Mark {
	case notice.Exhausted:
		what = "nothing is left for ordinary runs: " + spent
		if a.Granted-a.Spent-a.Floor > 0 {
			what = "the service answered that nothing is left"
		}
	case notice.Blocked:
		what = "a run was refused by " + m.Rule
	}
	if !m.Sent.IsZero() && m.Sent.Sub(a.Time) >= longAgo {
		what += ", as of " + a.Time.UTC().Format("2006-01-02 15:04 MST")
	}
	test := ""
	if m.Test {
		test = "[test] "
	}
	return fmt.Sprintf("%shsharness, allowance %s: %s. %s", test, report.Name(m.Allowance), what, m.Standing)
}

// object is the message of the template json. Its fields stay.
type object struct {
	Format    int       `json:"format"`
	ID        string    `json:"id"`
	Notice    string    `json:"notice"`
	Rule      string    `json:"rule"`
	Test      bool      `json:"test"`
	Text      string    `json:"text"`
	Allowance string    `json:"allowance"`
	LedgerID  string    `json:"ledger_id"`
	Seq       int64     `json:"seq"`
	Time      time.Time `json:"time"`
	Granted   int64     `json:"granted"`
	Spent     int64     `json:"spent"`
	Held      int64     `json:"held"`
	Floor     int64     `json:"floor"`
	Left      int64     `json:"left"`
}

// body is the message by a template. Texts of others, such as the allowance's name, are
// shown as they are and make nothing bold, no link and no mention.
func (m Message) body(template string) []byte {
	type o = map[string]any
	text := m.Text()
	var v any
	switch template {
	case "slack":
		asIs := func(s string) o { return o{"type": "plain_text", "text": s, "emoji": false} }
		v = o{
			"text": strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text),
			"blocks": []any{
				o{"type": "section", "text": asIs(text)},
				o{"type": "context", "elements": []any{asIs("notice " + m.ID)}},
			},
		}
	case "teams":
		// https://adaptivecards.io, in the form that a workflow's "When a Teams webhook request is received" takes.
		v = o{"type": "message", "attachments": []any{o{
			"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil,
			"content": o{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
				"body": []any{
					o{"type": "RichTextBlock", "inlines": []any{o{"type": "TextRun", "text": text}}},
					o{"type": "RichTextBlock", "inlines": []any{o{"type": "TextRun", "text": "notice " + m.ID, "isSubtle": true, "size": "Small"}}},
				},
			},
		}}}
	default:
		a := m.At
		v = object{1, m.ID, string(m.Mark), m.Rule, m.Test, text, m.Allowance, a.Ledger, a.Seq, a.Time, a.Granted, a.Spent, a.Held, a.Floor, a.Left()}
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers
	}
	return data
}

// For are the notices for hooks that a project names. What was for one that it named
// before stays in the ledger, and nobody sends it. Where a hook is not known, because its
// variable is not set here, each notice may be for that one.
func For(hooks []Hook, all []notice.Notice) []notice.Notice {
	return slices.DeleteFunc(slices.Clone(all), func(n notice.Notice) bool {
		return !slices.ContainsFunc(hooks, func(h Hook) bool { return h.Err != nil || h.Name == n.Hook })
	})
}

// Late says, in a line for each, which notices for hooks could not be delivered so far. What
// a ledger has of them others may have written.
func Late(hooks []Hook, undelivered []notice.Notice) []string {
	var lines []string
	for _, n := range For(hooks, undelivered) {
		if n.Tries == 0 {
			continue
		}
		again := "it is tried again by the next run, or now: hsharness notify"
		if n.Tries >= maxTries {
			again = "it is not tried again"
		}
		lines = append(lines, fmt.Sprintf("the notice of %s was not delivered in %d tries (%s); %s", plain.Short(string(n.Mark)), n.Tries, plain.Short(n.Why), again))
	}
	return lines
}
