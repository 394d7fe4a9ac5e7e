package mistyped_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/cmd/internal/mistyped"
)

func TestWhatWasMeant(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"unknown flag: --tag (did you mean --tags?)":                                                              {"run", "--tag", "x"},
		"unknown flag: --max-spent (did you mean --max-spend?)":                                                   {"run", "--max-spent=3"},
		"unknown flag: --formt (did you mean --format?)":                                                          {"run", "--formt", "json"},
		"unknown flag: --colour: hsharness run --help has them all":                                               {"run", "--colour"},
		"unknown flag: --report (did you mean hsharness report?)":                                                 {"--report"},
		"unknown flag: --status (did you mean hsharness quota status?)":                                           {"quota", "--status"},
		"unknown shorthand flag: 'x' in -x: hsharness run --help has them all":                                    {"run", "-x"},
		`unknown command "stats" (did you mean hsharness quota status?)`:                                          {"quota", "stats"},
		`unknown command "st" (did you mean hsharness quota status?)`:                                             {"quota", "st"},
		`unknown command "report" (did you mean hsharness report?)`:                                               {"quota", "report"},
		`unknown command "run" (did you mean hsharness quota runs?)`:                                              {"quota", "run"},
		`unknown command "sleep": hsharness quota --help has them all`:                                            {"quota", "sleep"},
		`unknown command "rpeort" (did you mean hsharness report?)`:                                               {"rpeort"},
		`unknown command "sleep": hsharness --help has them all`:                                                  {"sleep"},
		`unknown command "kesy" (did you mean hsharness gateway keys?)`:                                           {"gateway", "kesy"},
		`unknown shell "bsh": it is one of bash, fish, powershell, zsh (did you mean hsharness completion bash?)`: {"completion", "bsh"},
		`unknown shell "tcsh!": it is one of bash, fish, powershell, zsh`:                                         {"completion", "tcsh!"},
		"an argument is missing: it is typed as hsharness exec [flags] -- CMD [ARG…]":                             {"exec"},
		`"x" does not belong here: it is typed as hsharness report [flags]`:                                       {"report", "x"},
		`invalid argument "no" for "--tags" flag: must be an integer`:                                             {"run", "--tags", "no"},
	} {
		none := func(*cobra.Command, []string) error { return nil }
		root := &cobra.Command{Use: "hsharness", SilenceErrors: true, SilenceUsage: true}
		root.PersistentFlags().String("format", "", "")
		run := &cobra.Command{Use: "run", RunE: none}
		run.Flags().Int("tags", 0, "")
		run.Flags().Int("max-spend", 0, "")
		hidden := run.Flags()
		hidden.Bool("colours", false, "")
		_ = hidden.MarkHidden("colours")
		quota := &cobra.Command{Use: "quota", RunE: none, Args: mistyped.Command}
		quota.AddCommand(&cobra.Command{Use: "status", RunE: none}, &cobra.Command{Use: "slee", Hidden: true, RunE: none},
			&cobra.Command{Use: "export", RunE: none}, &cobra.Command{Use: "runs", RunE: none})
		root.AddCommand(run, quota, &cobra.Command{Use: "report", RunE: none, Args: cobra.NoArgs}, &cobra.Command{Use: "exec [flags] -- CMD [ARG…]", RunE: none, Args: cobra.MinimumNArgs(1)})
		gateway := &cobra.Command{Use: "gateway", RunE: none, Args: cobra.NoArgs}
		gateway.AddCommand(&cobra.Command{Use: "keys", RunE: none})
		root.AddCommand(gateway)
		mistyped.Explain(root)
		root.SetArgs(args)
		root.SetOut(io.Discard)
		assert.EqualError(t, root.Execute(), want, "%q", args)
	}
}

// Help for a command that there is none of is no success that prints something else.
func TestHelpForNothing(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"help": "", "help quota": "", "help quota status": "", "help report x": "",
		"help rpeort":        `unknown command "rpeort" (did you mean hsharness report?)`,
		"help quota stats":   `unknown command "stats" (did you mean hsharness quota status?)`,
		"help quota nothing": `unknown command "nothing": hsharness quota --help has them all`,
	} {
		none := func(*cobra.Command, []string) error { return nil }
		root := &cobra.Command{Use: "hsharness", SilenceErrors: true, SilenceUsage: true}
		quota := &cobra.Command{Use: "quota", RunE: none, Args: mistyped.Command}
		quota.AddCommand(&cobra.Command{Use: "status", RunE: none})
		root.AddCommand(quota, &cobra.Command{Use: "report", RunE: none, Args: cobra.NoArgs})
		mistyped.Explain(root)
		root.SetArgs(strings.Fields(args))
		root.SetOut(io.Discard)
		if err := root.Execute(); want == "" {
			assert.NoError(t, err, args)
		} else {
			assert.EqualError(t, err, want, args)
		}
	}
}

func TestHelpNeedsNoPreparation(t *testing.T) {
	t.Parallel()
	fails := errors.New("a variable that is wrong")
	for _, args := range [][]string{nil, {"--help"}, {"run"}} {
		root := &cobra.Command{Use: "hsharness", SilenceErrors: true, SilenceUsage: true,
			PersistentPreRunE: func(*cobra.Command, []string) error { return fails }}
		root.AddCommand(&cobra.Command{Use: "run", RunE: func(*cobra.Command, []string) error { return nil }})
		mistyped.Explain(root)
		root.SetArgs(append([]string{}, args...))
		root.SetOut(io.Discard)
		if err := root.Execute(); slices.Contains(args, "run") {
			assert.ErrorIs(t, err, fails)
		} else {
			assert.NoError(t, err, "%q", args)
		}
	}
}
