package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/gateway"
	"github.com/hsharness/hsharness/cmd/internal/mistyped"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) gatewayKeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Who may call a gateway, and how much they may draw",
		Long: `The API keys of a gateway are in ` + gateway.DefaultKeys + ` beside the project file, or
in the file that --keys names, as hashes. Instances that share the file take a
change over with the next request. What a key has drawn is in the ledger, under
its name, and no instance lets it draw more than its cap.`,
		Args: mistyped.Command,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	file := cmd.PersistentFlags().String("keys", "", "`file` of the keys (default "+gateway.DefaultKeys+" beside the project file)")
	cmd.AddCommand(p.keysAddCommand(file), p.keysListCommand(file), p.keysRevokeCommand(file))
	return cmd
}

// keysPath is where a gateway's keys are.
func (p *program) keysPath(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	pr, err := p.project()
	if err != nil {
		return "", err
	}
	return filepath.Join(pr.Dir(), gateway.DefaultKeys), nil
}

func (p *program) keysAddCommand(file *string) *cobra.Command {
	k := gateway.Key{}
	var out string
	cmd := &cobra.Command{
		Use:   "add NAME --cap N",
		Short: "Make a key and print it, once",
		Long: `Makes a key and prints it. Only its hash is kept, so it can't be printed again.
A name that was revoked is not given again. --out writes it into a new file that
nobody else may read, and warns where git would take that file.`,
		Example: `  hsharness gateway keys add shop --suite checkout --cap 200
  hsharness gateway keys add nightly --cap 20 --out nightly.key`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			k.Name = args[0]
			return p.keysAdd(*file, out, k)
		},
	}
	cmd.Flags().StringVar(&k.Suite, "suite", "", "`name` of the suite in the ledger (default the key's name)")
	cmd.Flags().StringVar(&out, "out", "", "write the key into this new `file`, and do not print it")
	typed.Number(cmd.Flags(), &k.Cap, "cap", 1, quota.MaxUnits, "let it draw at most `N` units in all, over all instances and for ever")
	return cmd
}

func (p *program) keysAdd(file, out string, k gateway.Key) error {
	name, err := p.keysPath(file)
	if err != nil {
		return err
	}
	key, k, err := gateway.AddKey(name, out, k)
	if err != nil {
		return usageError(err)
	}
	if out != "" {
		if gateway.Tracked(out) {
			fmt.Fprintf(p.stderr, "hsharness: git would take %s, and the key with it: name it in .gitignore\n", show.Plain(out))
		}
		key = ""
	}
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(struct {
			gateway.Key
			Plain string `json:"key,omitempty"`
		}{k, key})
	}
	if out != "" {
		_, err = fmt.Fprintf(p.stdout, "wrote key %s of suite %s, at most %d units in all, to %s\n", k.Name, show.Plain(k.Suite), k.Cap, show.Plain(out))
		return err
	}
	if !p.quiet {
		fmt.Fprintf(p.stderr, "key %s of suite %s, at most %d units in all; nobody can print it again:\n", k.Name, show.Plain(k.Suite), k.Cap)
	}
	_, err = fmt.Fprintln(p.stdout, key)
	return err
}

func (p *program) keysListCommand(file *string) *cobra.Command {
	return &cobra.Command{
		Use:     "ls",
		Short:   "List the keys, without the keys themselves",
		Example: `  hsharness gateway keys ls --format json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			name, err := p.keysPath(*file)
			if err != nil {
				return err
			}
			keys, err := gateway.ReadKeys(name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return usageError(err)
			}
			if p.format == "json" {
				return json.NewEncoder(p.stdout).Encode(append([]gateway.Key{}, keys...))
			}
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tSUITE\tCAP\tCREATED\tREVOKED")
			for _, k := range keys {
				revoked := ""
				if !k.Revoked.IsZero() {
					revoked = show.Time(k.Revoked)
				}
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", k.Name, show.Dash(k.Suite), k.Cap, show.Time(k.Created), show.Dash(revoked))
			}
			return w.Flush()
		},
	}
}

func (p *program) keysRevokeCommand(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "Stop accepting a key, and the tokens it was given",
		Long: `Stops accepting a key. Instances that share the file refuse it, and every token
that it was given, from the next request on. What it drew stays in the ledger.`,
		Example: `  hsharness gateway keys revoke shop`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name, err := p.keysPath(*file)
			if err != nil {
				return err
			}
			err = gateway.ChangeKeys(name, func(keys []gateway.Key) ([]gateway.Key, error) {
				i, err := gateway.FindKey(keys, args[0])
				if err != nil {
					return nil, err
				}
				keys = slices.Clone(keys)
				if keys[i].Revoked.IsZero() {
					keys[i].Revoked = time.Now().UTC().Truncate(time.Second)
				}
				return keys, nil
			})
			if err != nil {
				return usageError(err)
			}
			if !p.quiet {
				fmt.Fprintf(p.stderr, "key %s is revoked\n", show.Plain(args[0]))
			}
			return nil
		},
	}
}
