package services

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
)

// Public are the base URLs by which others reach services that listen elsewhere:
// through a mapped port, a name, or a proxy. An empty one is the address itself; the
// token endpoints are those of the identity services.
type Public struct {
	Production, Sandbox URLs
	Control             string
}

// of is the public URL of a service, empty without one.
func (p *Public) of(at place) string {
	urls := &p.Sandbox
	if at.env == avalara.Production {
		urls = &p.Production
	}
	switch at.kind {
	case controlPlace:
		return p.Control
	case identityPlace:
		return urls.Identity
	}
	return urls.of(at.api)
}

// Over are these URLs, and where one is empty that of an environment as it listens.
func (u URLs) Over(listening URLs) URLs {
	identity := cmp.Or(u.Identity, listening.Identity)
	return URLs{
		Identity: identity, Token: identity + avalara.PathToken, API: cmp.Or(u.API, listening.API),
		Legacy: cmp.Or(u.Legacy, listening.Legacy), Managed: cmp.Or(u.Managed, listening.Managed),
	}
}

// beyond tells whether a public URL may lead others than this machine's here.
func beyond(base string) bool {
	if base == "" {
		return false
	}
	_, at, err := avalara.ReadURL(base)
	return err != nil || !at.Loopback()
}

// place is one service of a set of them.
type place struct {
	kind placeKind
	env  avalara.Environment
	api  avalara.API
}

type placeKind int

const (
	apiPlace placeKind = iota
	identityPlace
	controlPlace
)

// clientsPath is where the clients of a service are, each below its id, where the
// service has a public URL: a port of their own would be mapped by nobody.
const clientsPath = "/clients/"

// below is the base URL of a client's service, empty where it has a port of its own.
func (p parent) below(id string) func(place) string {
	return func(at place) string {
		if p.cfg.public == nil || p.cfg.public(at) == "" {
			return ""
		}
		return p.cfg.public(at) + clientsPath + id
	}
}

// serving has the requests below a client's path answered by that client, and the
// others by the service itself.
func (c *clients) serving(at place, own http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, clientsPath)
		if !ok {
			own.ServeHTTP(w, r)
			return
		}
		id, _, deeper := strings.Cut(rest, "/")
		var h http.Handler
		if s := c.find(id); s != nil && (deeper || r.Method == http.MethodGet) { // DELETE ends it
			h = s.mounted(at)
		}
		switch {
		case h == nil:
			own.ServeHTTP(w, r)
		case deeper:
			http.StripPrefix(clientsPath+id, h).ServeHTTP(w, r)
		default:
			root := new(http.Request)
			*root = *r
			root.URL = &url.URL{Path: "/", RawQuery: r.URL.RawQuery}
			h.ServeHTTP(w, root)
		}
	})
}

// reached tells whether a URL is at or below a base URL.
func reached(base string, u *url.URL) bool {
	b, err := url.Parse(base)
	return err == nil && b.Host != "" && b.Host == u.Host && (u.Path == b.Path || strings.HasPrefix(u.Path, strings.TrimSuffix(b.Path, "/")+"/"))
}
