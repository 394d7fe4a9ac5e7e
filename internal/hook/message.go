package hook

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/notice"
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
	// Test marks one that is none.
	Test bool
}

// message is that of a notice.
func message(n notice.Notice, allowance, ledger string) Message {
	m := Message{ID: n.ID, Mark: n.Mark, Rule: n.Rule, Allowance: allowance, At: n.At}
	m.At.Ledger = ledger
	return m
}

// Text is the message in a sentence or two.
func (m Message) Text() string {
	a := m.At
	what := fmt.Sprintf("%d of %d units are spent, %s or more", a.Spent, a.Granted, m.Mark)
	switch m.Mark {
	case notice.Exhausted:
		what = fmt.Sprintf("nothing is left for ordinary runs: %d of %d units are spent", a.Spent, a.Granted)
		if a.Granted-a.Spent-a.Floor > 0 {
			what = "the service answered that nothing is left"
		}
	case notice.Blocked:
		what = "a run was refused by " + m.Rule
	}
	left := fmt.Sprintf("%d left", max(a.Left(), 0))
	if a.Floor > 0 {
		left += fmt.Sprintf(" above a floor of %d", a.Floor)
	}
	if a.Held > 0 {
		left += fmt.Sprintf(", %d held by runs", a.Held)
	}
	test := ""
	if m.Test {
		test = "[test] "
	}
	return fmt.Sprintf("%shsharness, allowance %s: %s; %s.", test, m.Allowance, what, left)
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
		plain := func(s string) o { return o{"type": "plain_text", "text": s, "emoji": false} }
		v = o{
			"text": strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text),
			"blocks": []any{
				o{"type": "section", "text": plain(text)},
				o{"type": "context", "elements": []any{plain("notice " + m.ID)}},
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
// before stays in the ledger, and nobody sends it.
func For(hooks []notice.Hook, all []notice.Notice) []notice.Notice {
	return slices.DeleteFunc(slices.Clone(all), func(n notice.Notice) bool {
		return !slices.ContainsFunc(hooks, func(h notice.Hook) bool { return h.Name == n.Hook })
	})
}

// Late says, in a line for each, which notices for hooks could not be delivered so far.
func Late(hooks []notice.Hook, undelivered []notice.Notice) []string {
	var lines []string
	for _, n := range For(hooks, undelivered) {
		if n.Tries == 0 {
			continue
		}
		again := "it is tried again by the next run, or now: hsharness notify"
		if n.Tries >= maxTries {
			again = "it is not tried again"
		}
		lines = append(lines, fmt.Sprintf("the notice of %s was not delivered in %d tries (%s); %s", n.Mark, n.Tries, n.Why, again))
	}
	return lines
}
