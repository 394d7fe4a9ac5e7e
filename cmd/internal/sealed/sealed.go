// Package sealed puts a command's services into a seal: the real hosts of the service on
// port 443, names, and the ports of this machine that the command may reach. It may
// touch the seal, the authority of a run and the services.
package sealed

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/cmd/internal/authority"
	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/cmd/internal/seal"
	"github.com/hsharness/hsharness/cmd/internal/seal/resolver"
	"github.com/hsharness/hsharness/cmd/internal/seal/support"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// Config says what is in the seal besides the services.
type Config struct {
	Flags
	// Project has the sandbox, whose hosts are answered too, and exec.forward.
	Project *project.Project
	// Getenv reads a variable as the command would get it.
	Getenv func(name string) string
	// Stdin, Stdout and Stderr are those of the command.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Place is a seal with its services. It is one of package process, for one command.
type Place struct {
	*seal.Seal
	cfg      Config
	ca       *authority.Authority
	environ  []string
	names    *resolver.Resolver
	forwards forwards
	trust    trust
}

// realAddress is where the real hosts are inside, and resolverAddress where names are
// asked for.
var (
	realAddress     = netip.MustParseAddrPort("127.0.77.1:443")
	resolverAddress = "127.0.0.1:" + strconv.Itoa(resolverPort)
)

// resolverPort is the one that no other server can have inside.
const resolverPort = 53

// stores are where systems keep those that Java trusts.
var stores = []string{"/etc/ssl/certs/java/cacerts", "/etc/pki/ca-trust/extracted/java/cacerts"}

// named are the variables by which somebody may have named a bundle of their own.
var named = []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "NIX_SSL_CERT_FILE", "PERL_LWP_SSL_CA_FILE"}

// largestBundle bounds what is read of one, in bytes.
const largestBundle = 8 << 20

// Open makes a seal. Nothing was begun for it, and nothing is left of one that fails.
func Open(cfg Config) (*Place, error) {
	upstream, err := cfg.Project.Upstream()
	if err != nil && cfg.Project.UnsetURLs() == nil {
		return nil, err
	}
	if err := cfg.checkForwards(upstream); err != nil {
		return nil, err
	}
	p := &Place{cfg: cfg}
	hosts := map[string]netip.Addr{}
	for _, name := range services.RealNames(upstream) {
		hosts[name] = realAddress.Addr()
	}
	p.names = resolver.New(withOwn(hosts))
	var trustErr error
	p.Seal, err = seal.Start(seal.Config{
		Explain: support.Explain,
		Hosts:   hosts, Stdin: cfg.Stdin, Stdout: cfg.Stdout, Stderr: cfg.Stderr,
		Files: func(folder string) (all map[string][]byte) {
			all, trustErr = p.trusted(folder, services.OwnNames(upstream))
			return all
		},
	})
	if err != nil {
		return nil, err
	}
	if trustErr != nil {
		return nil, errors.Join(trustErr, p.Close())
	}
	if err := p.open(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// withOwn adds the machine's own name, which is no other host: many programs ask for it.
func withOwn(hosts map[string]netip.Addr) map[string]netip.Addr {
	all := maps.Clone(hosts)
	if own, err := os.Hostname(); err == nil && !all[own].IsValid() {
		all[own] = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return all
}

// trusted makes the authority of the run, and the files by which clients trust it: those
// that they are told of, and those where they look by themselves. names are hosts that
// are not the service's own.
func (p *Place) trusted(folder string, names []string) (all map[string][]byte, err error) {
	if p.ca, err = authority.New(names...); err != nil {
		return nil, err
	}
	at := authority.Files{Own: folder + "/ca.pem", TrustStore: folder + "/java.p12", PHP: folder + "/php"}
	store, _, err := p.ca.TrustStore(nil) // nobody else is met there
	all = map[string][]byte{"ca.pem": p.ca.PEM(), "java.p12": store}
	add := func(path string) bool {
		text, err := files.Read(path, largestBundle)
		if err == nil {
			all[path] = p.ca.Bundle(text)
		}
		return err == nil
	}
	for _, path := range authority.Bundles() {
		if add(path) {
			at.Bundle = cmp.Or(at.Bundle, path)
		}
	}
	at.Bundle = cmp.Or(at.Bundle, at.Own)
	for _, path := range stores {
		all[path] = store
	}
	all["php/hsharness.ini"] = at.INI()
	p.environ = at.Environ(p.cfg.Getenv)
	for _, name := range named { // a server that is let in may have its certificate from there
		if path := p.cfg.Getenv(name); filepath.IsAbs(path) && (all[path] != nil || add(path)) {
			p.environ = slices.DeleteFunc(p.environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
		}
	}
	return all, err
}

// open opens what does not depend on the run.
func (p *Place) open() error {
	packets, err := p.ListenPacket(resolverAddress)
	if err != nil {
		return err
	}
	conns, err := p.Listen(resolverAddress)
	if err != nil {
		return errors.Join(err, packets.Close())
	}
	p.names.Serve(packets, conns)
	for _, port := range p.cfg.ports() {
		if err := p.forward(port); err != nil {
			return err
		}
	}
	return nil
}

// Opener opens listeners inside, on loopback, with their base URLs: for
// [services.Config]. It is nil for no place.
func (p *Place) Opener() func() (net.Listener, string, error) {
	if p == nil {
		return nil
	}
	return func() (net.Listener, string, error) {
		l, err := p.Listen("127.0.0.1:0")
		if err != nil {
			return nil, "", err
		}
		return l, services.URL(l), nil
	}
}

// Serve has services answer as the real hosts, until they are closed.
func (p *Place) Serve(s *services.Local) error {
	l, err := p.Listen(realAddress.String())
	if err != nil {
		return err
	}
	s.ServeReal(&listener{Listener: l, config: p.ca.TLS(), trust: &p.trust})
	return nil
}

// proxies are variables that have clients ask a proxy, which is out of reach.
var proxies = []string{"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"}

// Environ is an environment for the command.
func (p *Place) Environ(environ []string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(proxies, strings.ToLower(name))
	})
	return append(append(kept, p.environ...), Variable+"="+p.cfg.How)
}

// Variable tells a process that it is in a seal, and is the twin of --sealed there.
const Variable = "HSHARNESS_SEALED"

// Fill puts what the seal saw into a bill; no place puts nothing there.
func (p *Place) Fill(bill *report.Bill) {
	if p == nil {
		return
	}
	bill.Seal = "sealed"
	bill.AskedFor, bill.AskedForMore = p.names.Asked()
	if p.cfg.How == Strict && len(bill.AskedFor) > 0 {
		ending.Worse(bill, ending.Policy, fmt.Errorf("the command %s, and --sealed is strict", bill.AskedText()))
	}
}

// Notes say what a bill does not, and what to do about it. They are complete once the
// services are closed. No place has none.
func (p *Place) Notes() []string {
	if p == nil {
		return nil
	}
	notes := append(p.trust.notes(), p.forwards.notes()...)
	if user, foreign := seal.Foreign("."); foreign {
		notes = append(notes, fmt.Sprintf("sealed, root can't write in this folder, which is user %d's: first chown -R root . or run as that user", user))
	}
	return notes
}

// Close ends the command and all that it left, and closes every listener. It may be called more than once.
func (p *Place) Close() error {
	if p == nil {
		return nil
	}
	return errors.Join(p.Seal.Close(), p.forwards.close(), p.names.Close())
}
