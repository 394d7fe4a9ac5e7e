package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/project"
)

// topPages are the pages outside of docs. The top folder is not looked through for
// them: .git is in it, which each git status changes, and go test would never take the
// results of this package from its cache.
func topPages() []string {
	return []string{"../../CHANGELOG.md", "../../CONTRIBUTING.md", "../../README.md", "../../SECURITY.md", "../../examples/README.md"}
}

// TestDocsNameCommandsThatExist looks up every hsharness command line that a
// page shows, in a block or in its text: the command and each of its flags.
func TestDocsNameCommandsThatExist(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	pages = append(pages, topPages()...)
	seen := 0
	for _, name := range pages {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, line := range shownLines(string(text)) {
			for _, args := range hsharnessCalls(line) {
				seen++
				assert.NoError(t, checkCall(args), "%s: %s", filepath.Base(name), line)
			}
		}
	}
	assert.Greater(t, seen, 50, "no page was read")
}

// shownLines are the lines of a page's blocks and the commands in its text.
func shownLines(text string) []string {
	var lines []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == "sh" || m[1] == "console" {
			lines = append(lines, strings.Split(m[2], "\n")...)
		}
	}
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		lines = append(lines, strings.ReplaceAll(m[1], "\n", " "))
	}
	return lines
}

// TestAdviceCanBeTyped reads all advice that there is. Each flag in it is one, and each
// command line is one that the command takes: its flags, and as many words. A line that
// is put together of several texts is looked up as far as it is there.
func TestAdviceCanBeTyped(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("../../internal/hint/*.go")
	require.NoError(t, err)
	known := map[string]bool{"--security-opt": true, "--set-version": true} // of docker and podman; of wsl
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known["--"+f.Name] = true })
		cmd.PersistentFlags().VisitAll(func(f *pflag.Flag) { known["--"+f.Name] = true })
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look((&program{lookupEnv: func(string) (string, bool) { return "", false }}).rootCommand())
	// The commands of what somebody else types are no advice.
	call, flag := regexp.MustCompile(`(?:(?:of|that|profile) )?hsharness [^;:,"]+`), regexp.MustCompile(`--[a-z][a-z-]*`)
	calls, flags := 0, 0
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		parts := map[ast.Node]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			if sum, ok := n.(*ast.BinaryExpr); ok {
				parts[sum.X], parts[sum.Y] = true, true
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != gotoken.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			for _, line := range call.FindAllString(text, -1) {
				if words := strings.Fields(line); words[0] == "hsharness" {
					calls++
					assert.NoError(t, checkCall(words[1:]), line)
					if !parts[lit] {
						assert.NoError(t, checkTaken(words[1:]), line)
					}
				}
			}
			for _, name := range flag.FindAllString(text, -1) {
				flags++
				assert.True(t, known[name], "%s: there is no flag %s", text, name)
			}
			return true
		})
	}
	assert.Greater(t, calls, 40, "no advice was read")
	assert.Greater(t, flags, 30, "no advice was read")
}

// placeholders are what stands in advice for what its reader types.
var placeholders = strings.NewReplacer("%.12s", "3f9a1c", "'%s'", "sqlite:x", "%s", "record", "%d", "1", "N", "1")

// checkTaken has a command take its arguments, as far as it looks at them before it works.
func checkTaken(args []string) error {
	for i := range args {
		if args[i] != "NAME" {
			args[i] = placeholders.Replace(args[i])
		}
	}
	cmd, rest, err := (&program{lookupEnv: func(string) (string, bool) { return "", false }}).rootCommand().Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// TestAssumptionsCanBeChanged looks up each setting of the project file that the
// page on assumptions names in its last column.
func TestAssumptionsCanBeChanged(t *testing.T) {
	text, err := os.ReadFile("../../docs/assumptions.md")
	require.NoError(t, err)
	var known []string
	for _, s := range project.Settings().Settings {
		known = append(known, s.Path)
	}
	top := regexp.MustCompile("`((?:operations|policy|environments|recordings)[a-z_.]*)`[^|]*\\|$")
	seen := 0
	for line := range strings.Lines(string(text)) {
		if m := top.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			seen++
			assert.Contains(t, known, m[1], line)
		}
	}
	assert.GreaterOrEqual(t, seen, 5, "the table changed its form")
}

// separator ends a command of the shell; what follows # is a comment.
var separator = regexp.MustCompile(`&&|\|\||[;|&]|\s#.*$`)

// hsharnessCalls are the arguments of each call of hsharness in a line of shell.
// Quoted arguments fall apart, which matters to nobody who looks for flags.
func hsharnessCalls(line string) [][]string {
	var calls [][]string
	for _, command := range separator.Split(line, -1) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(command), "$ "))
		for len(words) > 0 && (strings.Contains(words[0], "=") || words[0] == "exec" || words[0] == "if" || words[0] == "!") {
			words = words[1:]
		}
		if len(words) > 1 && words[0] == "hsharness" {
			calls = append(calls, words[1:])
		}
	}
	return calls
}

// checkCall looks a command up, and its flags.
func checkCall(args []string) error {
	root := (&program{lookupEnv: func(string) (string, bool) { return "", false }}).rootCommand()
	root.InitDefaultCompletionCmd("bash") // some command line has to be given
	root.InitDefaultHelpCmd()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if cmd.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return fmt.Errorf("%s has no command %q", cmd.CommandPath(), rest[0])
	}
	var flags []string
	for _, arg := range rest {
		if arg == "--" || arg == "…" {
			break
		}
		if strings.HasPrefix(arg, "-") {
			flags = append(flags, arg)
		}
	}
	cmd.InitDefaultHelpFlag()
	for _, flag := range flags {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if cmd.Flag(name) == nil {
			return fmt.Errorf("%s has no flag --%s", cmd.CommandPath(), name)
		}
	}
	return nil
}

func TestCheckCall(t *testing.T) {
	for line, want := range map[string]string{
		"hsharness run --tags smoke | cat":                "",
		"A=b hsharness quota status --require 5 # enough": "",
		"cd x && hsharness exec -- npm test --nothing":    "",
		"hsharness completion bash":                       "",
		"hsharness --help":                                "",
		"hsharness rum":                                   `has no command "rum"`,
		"hsharness quota burn":                            `has no command "burn"`,
		"hsharness run --fast=1":                          "hsharness run has no flag --fast",
	} {
		calls := hsharnessCalls(line)
		require.Len(t, calls, 1, line)
		err := checkCall(calls[0])
		if want == "" {
			assert.NoError(t, err, line)
		} else {
			assert.ErrorContains(t, err, want, line)
		}
	}
}

// TestDocsAreTyped wants a test for each page that tells its reader to type
// something. docs/commands.md only lists what there is.
func TestDocsAreTyped(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	tests, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	helpers, err := filepath.Glob("../../helpers/*/*/*test*.*")
	require.NoError(t, err)
	var code strings.Builder
	others, err := filepath.Glob("../../interop/*_test.go")
	require.NoError(t, err)
	for _, name := range slices.Concat(tests, helpers, others) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		code.Write(text)
	}
	for _, name := range append(pages, "../../README.md") {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		page := filepath.ToSlash(strings.TrimPrefix(name, filepath.FromSlash("../../")))
		if strings.Contains(string(text), "\n```sh\n") && page != "docs/commands.md" {
			assert.Regexp(t, `read_?[pP]age\((t, )?["']`+regexp.QuoteMeta(page)+`["']\)`, code.String(), "no test types what %s says", page)
		}
	}
}
