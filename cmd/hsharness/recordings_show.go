package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/internal/files"
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
				data, err := files.Read(r.File, files.Large)
				if err != nil {
					return err
				}
				_, err = p.stdout.Write(data)
				return err
			}
			_, err = fmt.Fprint(p.stdout, listing.Text(r, time.Now()))
			return err
		},
	}
}
