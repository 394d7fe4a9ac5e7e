package reach

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/certificate"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
)

// TLS is how a server serves HTTPS: with an authority that is made anew, whose
// certificate is written to CAFile.
type TLS struct {
	On     bool
	CAFile string
	// Names are in the certificate besides those of loopback and of the addresses.
	Names []string
}

// Flags adds --tls and what belongs to it.
func (t *TLS) Flags(flags *pflag.FlagSet) {
	flags.BoolVar(&t.On, "tls", false, "serve HTTPS, by a certificate authority that is made anew at each start")
	flags.StringVar(&t.CAFile, "tls-ca", "hsharness-ca.pem", "write that authority's certificate to this `file`")
	flags.StringArrayVar(&t.Names, "tls-name", nil, "put this `name` or address in the certificate too (repeatable)")
}

// Config makes the certificate for these addresses, HOST:PORT each, and for the public
// URLs, and writes the authority's. It is nil without TLS.
func (t TLS) Config(public services.Public, addresses ...string) (*tls.Config, error) {
	if !t.On {
		if len(t.Names) > 0 {
			return nil, errors.New("--tls-name is for the certificate of --tls: add --tls")
		}
		return nil, nil //nolint:nilnil // there is none then
	}
	var hosts []string
	for _, name := range t.Names {
		host, wild := strings.CutPrefix(name, "*.")
		at, err := avalara.ReadAddress(host)
		if err != nil && net.ParseIP(host).To16() != nil { // an IPv6 address without brackets
			at, err = avalara.ReadAddress("[" + host + "]")
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("--tls-name: %w", err)
		case at.Port != 0:
			return nil, fmt.Errorf("--tls-name: %s has a port, and a certificate is for a name", name)
		case wild && at.IP.IsValid():
			return nil, fmt.Errorf("--tls-name: %s: an address has no names below it", name)
		case wild:
			at.Name = "*." + at.Name
		}
		hosts = append(hosts, at.Name)
	}
	for _, addr := range addresses {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			hosts = append(hosts, host)
		}
	}
	cfg, err := certificate.Make(t.CAFile, append(hosts, publicHosts(public)...)...)
	if err != nil {
		return nil, fmt.Errorf("--tls-ca: %w", err)
	}
	return cfg, nil
}
