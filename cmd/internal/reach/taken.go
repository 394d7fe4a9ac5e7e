package reach

import (
	"errors"
	"net"

	"github.com/hsharness/hsharness/internal/hint"
)

// OrOtherPorts adds the way out to an address that is taken; any other error stays as it
// is.
func OrOtherPorts(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "listen" {
		return hint.OtherPorts.About(err)
	}
	return err
}
