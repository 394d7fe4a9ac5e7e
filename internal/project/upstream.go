package project

import (
	"errors"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// Upstream is where the sandbox is: the real one, but for the URLs that are
// set. As soon as one of those is on loopback, the others are not filled in
// with real hosts: a mock's token has no business there, and a real credential
// none here. A URL that is made of a variable which is not set is not known, see
// [Project.UnsetURLs]: it must not be taken for the real one.
func (p *Project) Upstream() (guard.Upstream, error) {
	if p.texts.urls != nil {
		return guard.Upstream{}, p.texts.urls
	}
	upstream, err := p.Environments.Sandbox.upstream()
	upstream.Proxy = p.texts.proxy
	return upstream, err
}

func (s Sandbox) upstream() (guard.Upstream, error) {
	set := guard.Upstream{Identity: s.IdentityURL, APIs: map[avalara.API]string{
		avalara.Current: s.APIURL, avalara.Legacy: s.LegacyAPIURL, avalara.Managed: s.ManagedAPIURL,
	}}
	set, err := set.Plain()
	if err != nil {
		return guard.Upstream{}, err
	}
	real := guard.RealSandbox()
	if set.AnyLoopback() {
		real = guard.Upstream{}
	}
	if set.Identity == "" {
		set.Identity = real.Identity
	}
	for api, base := range set.APIs {
		if base == "" {
			set.APIs[api] = real.APIs[api]
		}
	}
	if set.AnyLoopback() && (set.Identity == "" || !set.AllLoopback()) {
		return guard.Upstream{}, errors.New("environments.sandbox: some URLs are on loopback and some are not; give identity_url and every API's URL that is used, all of the same kind")
	}
	return set, nil
}
