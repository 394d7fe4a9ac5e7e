package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/recording"
)

func (p *program) recordingsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show KEY|FILE",
		Short: "Print a recording: the request and all that answered it",
		Long: `Prints one recording to read: the request, each take with its answer, and where
secrets were taken out. KEY is the beginning of a key. With --format json the
file is printed as it is.`,
		Example: `  hsharness recordings show 3f9a1c
  hsharness recordings show recordings/post-hscode/3f9a1c0b7d42.json --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			r, err := p.find(pr, args[0])
			if err != nil {
				return err
			}
			if p.format == "json" {
				data, err := os.ReadFile(r.File)
				if err != nil {
					return err
				}
				_, err = p.stdout.Write(data)
				return err
			}
			_, err = fmt.Fprint(p.stdout, recordingText(r, time.Now()))
			return err
		},
	}
}

// recordingText is a recording for people. The request is that of the latest
// take: those of the others differ in nothing that counts.
func recordingText(r *recording.Recording, now time.Time) string {
	var b strings.Builder
	target := r.Inputs.Path
	if r.Inputs.Query != "" {
		target += "?" + r.Inputs.Query
	}
	fmt.Fprintf(&b, "%s\n", show.Plain(r.Inputs.Method+" "+target))
	fmt.Fprintf(&b, "to    %s %s\nkey   %s\nfile  %s\n", show.Plain(r.Inputs.Environment), show.Plain(r.Inputs.API), show.Plain(r.Key), show.Plain(show.Path(r.File)))
	b.WriteString("\nrequest\n")
	messageText(&b, r.Latest().Request)
	for i := range r.Takes {
		t := &r.Takes[i]
		fmt.Fprintf(&b, "\ntake %d of %d, %s (%s ago), %d ms, cost %d", i+1, len(r.Takes), second(t.RecordedAt), show.Age(t.Age(now)), t.ElapsedMS, t.Cost)
		if t.Entry != "" {
			fmt.Fprintf(&b, ", spend %s", show.Plain(t.Entry))
		}
		fmt.Fprintf(&b, "\nstatus %d", t.Response.Status)
		if state := t.Standing(); state != recording.Answer {
			fmt.Fprintf(&b, ", %s: it answers nothing", state)
		}
		b.WriteString("\n")
		messageText(&b, t.Response)
		if len(t.Redactions) > 0 {
			fmt.Fprintf(&b, "  redacted: %s\n", show.Plain(strings.Join(t.Redactions, ", ")))
		}
	}
	return b.String()
}

// messageText writes headers and body, indented.
func messageText(b *strings.Builder, m recording.Message) {
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		for _, value := range m.Header[name] {
			fmt.Fprintf(b, "  %s: %s\n", show.Plain(name), show.Plain(value))
		}
	}
	if len(m.Body) == 0 {
		return
	}
	var indented bytes.Buffer
	text := string(m.Body)
	switch {
	case json.Indent(&indented, m.Body, "", "  ") == nil:
		text = indented.String()
	case !utf8.Valid(m.Body):
		text = fmt.Sprintf("(%d bytes that are no text)", len(m.Body))
	}
	for line := range strings.Lines(text) {
		fmt.Fprintf(b, "  %s\n", show.Plain(strings.TrimRight(line, "\r\n")))
	}
}
