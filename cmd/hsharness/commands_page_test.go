package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the generated pages again")

// generated compares a file of the tree with what it should hold, or writes it
// with -update.
func generated(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o644))
	}
	got, err := os.ReadFile(name)
	require.NoError(t, err)
	// Not Equal: nobody reads a page twice to find a line.
	if string(got) != want {
		assert.Fail(t, name+" is not what is made now; make it again with:\n\n\tgo test ./cmd/hsharness -run '"+t.Name()+"$' -update\n\nand look at the difference")
	}
}

// generatedPart is generated for what a page has between two of its lines.
func generatedPart(t *testing.T, name, begin, end, want string) {
	t.Helper()
	page, err := os.ReadFile(name)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(page), begin)
	require.True(t, ok, "%s has no line %s", name, begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no line %s", name, end)
	generated(t, name, before+begin+want+end+after)
}

func TestCommandsPage(t *testing.T) {
	generated(t, "../../docs/commands.md", commandsPage((&program{lookupEnv: func(string) (string, bool) { return "", false }}).rootCommand()))
}

// commandsPage is the help of every command as one page.
func commandsPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\n<!-- made from the program by TestCommandsPage; change the commands instead -->\n\n")
	b.WriteString("What `hsharness help` and `hsharness run --help` print, for every command.\n\n")
	prose(&b, root.Long)
	fmt.Fprintf(&b, "Global flags, of every command:\n\n```text\n%s```\n", root.PersistentFlags().FlagUsages())
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			if !sub.IsAvailableCommand() || sub.Name() == "completion" { // which is said below
				continue
			}
			fmt.Fprintf(&b, "\n## %s\n\n", sub.CommandPath())
			if sub.Runnable() {
				fmt.Fprintf(&b, "```text\n%s\n```\n\n", sub.UseLine())
			}
			if sub.Long == "" {
				prose(&b, sub.Short+".")
			} else {
				prose(&b, sub.Long)
			}
			if flags := sub.NonInheritedFlags(); flags.HasAvailableFlags() {
				fmt.Fprintf(&b, "```text\n%s```\n\n", flags.FlagUsages())
			}
			if sub.Example != "" {
				fmt.Fprintf(&b, "```sh\n%s\n```\n", unindented(sub.Example))
			}
			walk(sub)
		}
	}
	walk(root)
	b.WriteString("\n## hsharness completion\n\nPrints a completion script for bash, zsh, fish or powershell; the help of each\nsays where to put it.\n\n```sh\nhsharness completion bash\nhsharness completion zsh --help\n```\n")
	return strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), "\n\n\n", "\n\n") + "\n"
}

// prose writes a help text as paragraphs, and its indented lines as blocks.
func prose(b *strings.Builder, text string) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if strings.HasPrefix(paragraph, "  ") {
			fmt.Fprintf(b, "```text\n%s\n```\n\n", unindented(paragraph))
			continue
		}
		fmt.Fprintf(b, "%s\n\n", paragraph)
	}
}

// unindented is a block of a help text without its margin.
func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
