// Package intercept leads a command's clients to the guard by the service's real names,
// without a seal: by a proxy of this machine's loopback that they find in their
// environment. It is help for programs that have the real URLs built in, and no seal: a
// client that asks no proxy goes around it.
//
// It may touch the authority of a run, the services, sockets of loopback, hosts that
// --allow names, and a folder for temporary files.
package intercept

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/authority"
	"github.com/hsharness/hsharness/cmd/internal/nested"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

// Flags are those by which a command's clients are intercepted.
type Flags struct {
	// On does it.
	On bool
	// Allow are hosts that clients reach all the same, each as HOST or HOST:PORT.
	Allow []string
}

// Add adds the flags.
func (f *Flags) Add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.On, "intercept", false, "answer the real URLs too, by a proxy that the command's clients find in its environment: help, and no seal")
	flags.StringArrayVar(&f.Allow, "allow", nil, "with --intercept, let HTTPS to this `host` through (repeatable)")
}

// ErrOutermost says that an exec inside another one can't intercept.
var ErrOutermost = errors.New("--intercept goes with the exec that is around this one: its guard answers the real hosts")

// ErrNothing says that hosts are allowed, and none is refused.
var ErrNothing = errors.New("--allow goes with --intercept: without it nothing keeps the command from other hosts")

// ErrSealedAllow says that a seal lets no host through.
var ErrSealedAllow = errors.New("--allow goes with --intercept, and a seal lets no host through, but ports of this machine by --forward: leave one of both out")

// ErrSealed says that a command is sealed, which is more.
var ErrSealed = errors.New("--intercept and --sealed can't both be: a seal answers the real URLs to every client, so leave --intercept out")

// Within checks flags that were typed for an exec inside another one.
func (f *Flags) Within(flags *pflag.FlagSet, fromEnvironment map[string]bool) error {
	if f.On && nested.Typed(flags, fromEnvironment, "intercept") || nested.Typed(flags, fromEnvironment, "allow") {
		return ErrOutermost
	}
	return nil
}

// Proxy is the proxy of one command.
type Proxy struct {
	at     net.Listener
	secret string // by which the command is told from others, in its variables
	folder string
	files  authority.Files
	ca     *authority.Authority
	real   map[string]bool            // the names that are answered here
	allow  map[avalara.Address]string // to what was typed
	// resolve and leads say which addresses a name has, and which of them no tunnel may
	// lead to; tests have others.
	resolve func(ctx context.Context, name string) ([]netip.Addr, error)
	leads   func(netip.Addr) error

	buys      bool // the services may
	answered  *handover
	listeners bounded.Servers
	tunnels   tunnels
	asked     asked
}

// Open makes the proxy that the flags ask for, nil for none: for a project's sandbox.
// It answers nothing before [Proxy.Serve]. Sealed says that the command is sealed; getenv
// reads the environment.
func (f *Flags) Open(proj func() (*project.Project, error), getenv func(string) string, sealed bool) (*Proxy, error) {
	switch {
	case !f.On && len(f.Allow) > 0 && sealed:
		return nil, ErrSealedAllow
	case !f.On && len(f.Allow) > 0:
		return nil, ErrNothing
	case !f.On:
		return nil, nil //nolint:nilnil // there is none then
	case sealed:
		return nil, ErrSealed
	}
	pr, err := proj()
	if err != nil {
		return nil, err
	}
	upstream, err := pr.Upstream()
	if err != nil && pr.UnsetURLs() == nil {
		return nil, err
	}
	return f.open(upstream, getenv)
}

// open makes a proxy for a sandbox.
func (f *Flags) open(upstream guard.Upstream, getenv func(string) string) (*Proxy, error) {
	p := &Proxy{secret: hex.EncodeToString(randomBytes(16)), real: map[string]bool{}, resolve: lookup, leads: allowedAddress}
	for _, name := range services.RealNames(upstream) {
		p.real[name] = true
	}
	var err error
	if p.allow, err = p.allowed(f.Allow); err != nil {
		return nil, err
	}
	if p.ca, err = authority.New(services.OwnNames(upstream)...); err != nil {
		return nil, err
	}
	if p.at, err = services.Listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.answered = newHandover(p.at.Addr())
	if err := p.write(getenv); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it ends the program rather than fail
	return b
}

// allowed reads what --allow says. No host of the service is let through, and no address:
// it might be one of theirs, or of this machine.
func (p *Proxy) allowed(typed []string) (map[avalara.Address]string, error) {
	all := map[avalara.Address]string{}
	for _, text := range typed {
		at, err := avalara.ReadAddress(text)
		switch {
		case strings.Contains(text, "://"):
			err = errors.New("give a host such as example.com, without a scheme and a path")
		case err != nil:
		case p.serves(at):
			err = errors.New("it is a host of the service, which the guard alone calls")
		case at.IP.IsValid() || at.Loopback():
			err = errors.New("give a name: an address may be a host of the service, or of this machine")
		}
		if err != nil {
			return nil, fmt.Errorf("--allow %s: %w", text, err)
		}
		if at.Port == 0 {
			at.Port = httpsPort
		}
		all[at] = text
	}
	return all, nil
}

// serves tells whether an address is a host that the service, or an SDK of it, has.
func (p *Proxy) serves(at avalara.Address) bool {
	_, real := at.Environment()
	_, other := at.OtherHost()
	return real || other || p.real[at.Name]
}

// write puts the files by which clients trust the proxy into a folder of this user's own.
func (p *Proxy) write(getenv func(string) string) (err error) {
	if p.folder, err = os.MkdirTemp("", "hsharness-"); err != nil {
		return err
	}
	p.files = authority.Files{
		Own: filepath.Join(p.folder, "ca.pem"), Bundle: filepath.Join(p.folder, "bundle.pem"),
		TrustStore: filepath.Join(p.folder, "java.p12"), PHP: filepath.Join(p.folder, "php"),
	}
	system := authority.System(getenv)
	store, _, err := p.ca.TrustStore(system)
	if err != nil {
		return err
	}
	return errors.Join(
		files.Folder(p.files.PHP, 0o700),
		files.New(p.files.Own, p.ca.Bundle(authority.Named(getenv("NODE_EXTRA_CA_CERTS"))), 0o600), files.New(p.files.Bundle, p.ca.Bundle(system), 0o600),
		files.New(p.files.TrustStore, store, 0o600), files.New(filepath.Join(p.files.PHP, "hsharness.ini"), p.files.INI(), 0o600),
	)
}

// Serve has services answer the real hosts' names, until those services are closed.
func (p *Proxy) Serve(s *services.Local) error {
	p.buys = s.Mode().Buys()
	s.ServeReal(tls.NewListener(p.answered, p.ca.TLS()))
	p.listeners.Serve(p.at, p)
	return nil
}

// url is the proxy's, with what shows that its caller is the command.
func (p *Proxy) url() string {
	return (&url.URL{Scheme: "http", Host: p.at.Addr().String(), User: url.UserPassword(user, p.secret)}).String()
}

// Fill puts what the proxy saw into a bill; no proxy puts nothing there.
func (p *Proxy) Fill(bill *report.Bill) {
	if p == nil {
		return
	}
	bill.Seal = "intercept"
	bill.AskedFor, bill.AskedForMore = p.asked.list()
}

// Close ends the proxy and all that goes through it, and removes its files. It may be
// called more than once.
func (p *Proxy) Close() error {
	if p == nil {
		return nil
	}
	p.tunnels.close()
	err := errors.Join(p.listeners.Close(), p.answered.Close(), closed(p.at.Close()))
	if p.folder != "" { // a system may keep what somebody reads; nothing in it is secret
		_ = os.RemoveAll(p.folder)
	}
	return err
}

// closed is the error of closing what may be closed already.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
