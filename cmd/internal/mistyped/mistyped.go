// Package mistyped says of a flag or a command that there is none of, which one was
// probably meant. It may touch cobra and pflag.
package mistyped

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/internal/nearest"
)

// Explain lets a program say of each wrong command, flag and argument what was meant, or
// how the command is typed.
func Explain(root *cobra.Command) {
	root.SetFlagErrorFunc(Flag)
	root.Args, root.RunE = Command, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	if prepare := root.PersistentPreRunE; prepare != nil {
		root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
			if cmd == root { // help needs no preparation, and fails for nothing that is set
				return nil
			}
			if err := effect(cmd); err != nil { // before the environment sets a flag
				return err
			}
			return prepare(cmd, args)
		}
	}
	root.InitDefaultCompletionCmd() // else cobra makes it later, and prints help for a shell that it does not know
	root.InitDefaultHelpCmd()       // the same, for a command that there is none of
	for _, cmd := range root.Commands() {
		typed(cmd)
		switch cmd.Name() {
		case "completion":
			cmd.Args, cmd.RunE = shell, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			cmd.Args = topic
		}
	}
}

// topic refuses help for a command that there is none of.
func topic(help *cobra.Command, args []string) error {
	cmd, rest, err := help.Root().Find(args)
	if err != nil || !cmd.HasSubCommands() {
		return err
	}
	return Command(cmd, rest)
}

// shell refuses one that nothing is completed in.
func shell(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	names := available(cmd)
	text := fmt.Sprintf("unknown shell %q: it is one of %s", args[0], strings.Join(names, ", "))
	if word := meant(args[0], names); word != "" {
		text += fmt.Sprintf(" (did you mean %s %s?)", cmd.CommandPath(), word)
	}
	return errors.New(text)
}

// typed adds how a command and its own are typed to what is wrong with their arguments.
func typed(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			switch err := check(cmd, args); {
			case err == nil:
				return nil
			case cmd.HasSubCommands():
				return cmp.Or(Command(cmd, args), err)
			case len(args) == 0:
				return fmt.Errorf("an argument is missing: it is typed as %s", cmd.UseLine())
			default:
				return fmt.Errorf("%q does not belong here: it is typed as %s", args[len(args)-1], cmd.UseLine())
			}
		}
	}
	for _, sub := range cmd.Commands() {
		typed(sub)
	}
}

// Flag is what is wrong with a command's flags, with what was probably meant.
func Flag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Deprecated == "" {
			names = append(names, f.Name)
		}
	})
	if word := meant(unknown.GetSpecifiedName(), names); word != "" && unknown.GetSpecifiedShortnames() == "" {
		return fmt.Errorf("%w (did you mean --%s?)", err, word)
	}
	for _, of := range []*cobra.Command{cmd, cmd.Root()} { // as others have it: --version
		if name := unknown.GetSpecifiedName(); slices.Contains(available(of), name) {
			return fmt.Errorf("%w (did you mean %s %s?)", err, of.CommandPath(), name)
		}
	}
	return fmt.Errorf("%w: %s --help has them all", err, cmd.CommandPath())
}

// Command refuses the arguments of a command that has commands of its own and does
// nothing else. One that the program has by itself is what was meant: quota report.
func Command(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	names := available(cmd)
	if slices.Contains(available(cmd.Root()), args[0]) && begun(args[0], names) == "" {
		return fmt.Errorf("unknown command %q (did you mean %s %s?)", args[0], cmd.Root().CommandPath(), args[0])
	}
	if word := meant(args[0], names); word != "" {
		return fmt.Errorf("unknown command %q (did you mean %s %s?)", args[0], cmd.CommandPath(), word)
	}
	return fmt.Errorf("unknown command %q: %s --help has them all", args[0], cmd.CommandPath())
}

// available are the names of a command's own commands.
func available(cmd *cobra.Command) (names []string) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// meant is the name that a word is near to, or the one that it is the beginning of.
func meant(word string, names []string) string {
	return cmp.Or(nearest.Word(word, names), begun(word, names))
}

// begun is the one name that a word is the beginning of.
func begun(word string, names []string) string {
	whole := ""
	for _, name := range names {
		if len(word) > 1 && strings.HasPrefix(name, word) {
			if whole != "" {
				return ""
			}
			whole = name
		}
	}
	return whole
}
