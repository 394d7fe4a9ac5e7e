package mistyped

import (
	"fmt"

	"github.com/spf13/cobra"
)

// unread are the flags of all commands that one of them does not look at, with what does
// what was probably meant.
var unread = map[string]map[string]string{
	"hsharness exec": {"format": "standard output is the command's, and --bill FILE writes the bill as JSON"},
	"hsharness init": {"config": "it writes hsharness.yaml into the folder where it is typed"},
}

// effect refuses a typed flag that would do nothing. One that the environment sets is for
// many commands.
func effect(cmd *cobra.Command) error {
	for name, instead := range unread[cmd.CommandPath()] {
		if f := cmd.Flag(name); f != nil && f.Changed && f.Value.String() != f.DefValue {
			return fmt.Errorf("--%s does nothing in %s: %s", name, cmd.CommandPath(), instead)
		}
	}
	return nil
}
