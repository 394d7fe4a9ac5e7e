package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/doctor"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/scan"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/secret"
)

func (p *program) recordingsScanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scan [DIR…]",
		Short: "Look for secrets and damage in the recordings, for CI",
		Long: `Searches recording folders, the project's unless others are given, for the
project's client secret, for the password of its ledger, and for tokens of any
kind, in many encodings. Prints where each one stands and its name, never its
value, and exits 6 if there is one. A secret whose environment variable is not
set can't be looked for. Otherwise it exits 2 if there is a file that can't be read
as a recording, that is another recording's, or whose takes are; so does every run
that asks for it, rather than buy it again.`,
		Example: `  hsharness recordings scan
  hsharness recordings scan recordings other/recordings --format json`,
		RunE: func(_ *cobra.Command, dirs []string) error {
			about := p.project
			if len(dirs) == 0 {
				about = p.kept
			}
			pr, err := about()
			if err != nil {
				return err
			}
			secrets, unsearched := p.scanned(pr)
			for _, why := range unsearched {
				if !p.quiet {
					fmt.Fprintln(p.stderr, "hsharness: "+show.Plain(why))
				}
			}
			named := len(dirs) > 0
			if !named {
				dirs = []string{pr.RecordingsDir()}
			}
			found, err := scan.Folders(dirs, named, secrets, func(dir string) (*recording.Store, error) { return pr.OpenRecordingsIn(dir) })
			if err != nil {
				return usageError(err)
			}
			return p.printFindings(pr, found)
		},
	}
}

// scanned are the secrets to look for: the client secret, and the password in the
// ledger's address. Unsearched says which can't be looked for, and why.
func (p *program) scanned(pr *project.Project) (secrets []recording.Secret, unsearched []string) {
	// What can't be right with the secret is no reason not to look for it.
	credential, _ := p.credential(pr)
	if credential.ClientSecret == "" {
		unsearched = append(unsearched, fmt.Sprintf("%v: it can't be looked for", pr.ClientSecret().CheckCredential(p.getenv)))
	}
	secrets = append(secrets, recording.Secret{Name: process.ClientSecretName, Value: string(credential.ClientSecret)})
	for _, password := range process.LedgerPasswords(cmp.Or(p.ledgerURL, pr.Ledger)) {
		secrets = append(secrets, recording.Secret{Name: process.LedgerPasswordName, Value: password})
	}
	for _, s := range secrets {
		if why := secret.Weak(s.Value); why != "" && s.Value != "" {
			unsearched = append(unsearched, fmt.Sprintf("%s can't be looked for: %s, and would be found in ordinary text", s.Name, why))
		}
	}
	return secret.Searchable(secrets...), unsearched
}

// printFindings prints what a scan found: a secret is exit 6, else a damaged file
// exit 2.
func (p *program) printFindings(pr *project.Project, found scan.Result) error {
	if p.format != "json" {
		found.Print(p.stdout)
	} else if err := json.NewEncoder(p.stdout).Encode(found.Leaks); err != nil {
		return err
	}
	damaged := found.Damaged
	if damaged != nil {
		damaged = fmt.Errorf("%w\n%s", damaged, doctor.MendRecordings(pr))
	}
	if n := len(found.Leaks); n > 0 {
		leaked := fmt.Errorf("secrets found in recordings: %d; remove the files, and revoke what was pushed with them", n)
		return &exitError{exitPolicy, errors.Join(leaked, damaged)}
	}
	if damaged != nil {
		return usageError(damaged)
	}
	if p.format == "json" || p.quiet {
		return nil
	}
	_, err := fmt.Fprintf(p.stdout, "no secrets found; files searched: %d\n", found.Files)
	return err
}
