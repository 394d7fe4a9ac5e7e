package reach

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

// Public are the URLs by which callers reach a server, as they were typed: each
// SERVICE=URL, of the sandbox unless production. stands before it.
type Public []string

// Flags adds --public-url.
func (p *Public) Flags(flags *pflag.FlagSet, known []string) {
	flags.StringArrayVar((*[]string)(p), "public-url", nil, "`SERVICE=URL` by which callers reach a service that listens elsewhere, behind a mapped port or a proxy: "+strings.Join(known, ", ")+" (repeatable)")
}

// ServeServices are those of serve, GatewayServices those of a gateway.
func ServeServices() []string {
	all := GatewayServices()
	for _, name := range GatewayServices() {
		all = append(all, "production."+name)
	}
	return append(all, "control")
}

// GatewayServices are those of a gateway.
func GatewayServices() []string { return []string{"identity", "api", "legacy", "managed"} }

// Read reads the URLs of these services. Where each has a listener of its own, as apart
// says, no two can have one URL. One that leads to a real host is a
// [*guard.ProductionError] or a [*guard.PastGuardError].
func (p Public) Read(known []string, apart bool) (services.Public, error) {
	var all services.Public
	given := map[string]string{}
	for _, text := range p {
		name, url, ok := strings.Cut(text, "=")
		if !ok || !slices.Contains(known, name) {
			return all, fmt.Errorf("--public-url %q: want SERVICE=URL, and SERVICE one of %s", name, strings.Join(known, ", "))
		}
		if given[name] != "" {
			return all, fmt.Errorf("--public-url %s is there twice", name)
		}
		base, _, err := avalara.ReadBase(url)
		if err == nil {
			_, err = guard.LocalURL(base)
		}
		if err != nil {
			return all, fmt.Errorf("--public-url %s: %w", name, err)
		}
		for other, its := range given {
			if apart && its == base {
				return all, fmt.Errorf("--public-url: %s and %s have one URL, and each listens at a port of its own: give each its own", other, name)
			}
		}
		given[name] = base
		*field(&all, name) = base
	}
	return all, nil
}

// field is where the URL of a service belongs.
func field(all *services.Public, name string) *string {
	urls := &all.Sandbox
	if rest, ok := strings.CutPrefix(name, "production."); ok {
		name, urls = rest, &all.Production
	}
	return map[string]*string{"identity": &urls.Identity, "api": &urls.API, "legacy": &urls.Legacy, "managed": &urls.Managed, "control": &all.Control}[name]
}

// publicHosts are the names of the URLs that lead to HTTPS, for a certificate.
func publicHosts(p services.Public) []string {
	var all []string
	for _, base := range []string{
		p.Control, p.Sandbox.Identity, p.Sandbox.API, p.Sandbox.Legacy, p.Sandbox.Managed,
		p.Production.Identity, p.Production.API, p.Production.Legacy, p.Production.Managed,
	} {
		if u, at, err := avalara.ReadURL(base); err == nil && u.Scheme == "https" && !slices.Contains(all, at.Name) {
			all = append(all, at.Name)
		}
	}
	return all
}
