package mockidp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Server is one tenant's identity service under one issuer. It is an
// [http.Handler] and safe for concurrent use. Its memory does not grow with
// the tokens it issues: it keeps none. Of the devices that ask for tokens it keeps
// the last thousand.
type Server struct {
	// Anyone is for programs that have a credential of their own built in: it treats
	// every client that the tenant does not know as [Config.AnyClient] does, and one that
	// it does know as ever. It must be set before the first request. False is the tenant.
	Anyone bool

	*tenant
	issuer    string
	discovery []byte
}

// tenant is what servers of the same tenant share, whatever their issuer.
type tenant struct {
	name       string
	clients    map[string]*client
	first      string // the id of the first client
	anyClient  bool
	everyScope []string // see Config.everyScope
	resources  []Resource
	clock      *control.Clock
	keys       *Keys
	faults     *control.Script
	journal    *control.Journal
	devices    devices
}

// client is a Client with everything looked up and encoded.
type client struct {
	Client
	scopes     []string // that it may have: API scopes only
	userScopes []string // that it may have for a user: identity scopes too
	lifetime   int64    // seconds
	claims     []byte   // its claims as JSON members, each with a comma before it
}

// New returns a server for the tenant that c describes, or every problem of c.
// What c points to must not change afterwards.
func New(c Config) (*Server, error) {
	every := c.everyScope()
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("mock identity service %q: %w", c.Name, err)
	}
	t := &tenant{
		name:       c.Name,
		clients:    make(map[string]*client, len(c.Clients)),
		anyClient:  c.AnyClient,
		everyScope: every,
		resources:  c.Resources,
		clock:      c.Clock,
		keys:       c.Keys,
		faults:     c.Faults,
		journal:    c.Journal,
	}
	for i, cl := range c.Clients {
		if i == 0 {
			t.first = cl.ID
		}
		t.clients[cl.ID] = t.compile(cl)
	}
	return (&Server{tenant: t}).As(c.Issuer), nil
}

func (t *tenant) compile(c Client) *client {
	if c.Scopes == nil {
		c.Scopes = t.everyScope
	}
	out := &client{Client: c, scopes: onlyAPI(c.Scopes), lifetime: avalara.TokenLifetime}
	out.userScopes = slices.DeleteFunc(slices.Clone(c.Scopes), func(s string) bool { return s == scopeOffline })
	if c.Grants == nil {
		out.Grants = []string{grantClientCredentials}
	}
	if c.TokenLifetime != 0 {
		out.lifetime = int64(c.TokenLifetime.Seconds())
	}
	for _, claim := range c.Claims {
		value, _ := json.Marshal(claim.Value) // validate has tried it
		out.claims = appendString(append(out.claims, ','), "client_"+claim.Name)
		out.claims = append(append(out.claims, ':'), value...)
	}
	return out
}

// As returns the same tenant, with its keys, clients, clock, faults and
// journal, under another issuer. It is for answering the real host name in
// process while a test reaches the tenant on loopback too. The issuer must be
// one as in [Config]; one that is not makes bad URLs.
func (s *Server) As(issuer string) *Server {
	document, _ := json.Marshal(avalara.MetadataOf(issuer)) // strings and booleans only
	return &Server{tenant: s.tenant, issuer: issuer, discovery: document}
}

// Issuer is the iss of the tokens and the base of all URLs.
func (s *Server) Issuer() string { return s.issuer }

// TokenURL is the token endpoint's URL.
func (s *Server) TokenURL() string { return s.issuer + avalara.PathToken }

// Clock is the tenant's clock.
func (s *Server) Clock() *control.Clock { return s.clock }

// Faults is the tenant's fault script.
func (s *Server) Faults() *control.Script { return s.faults }

// Journal is the tenant's journal.
func (s *Server) Journal() *control.Journal { return s.journal }

// Keys is the tenant's signing keys.
func (s *Server) Keys() *Keys { return s.keys }

// The endpoints at which tokens are asked for.
const (
	endpointToken  = "token"
	endpointDevice = "deviceauthorization"
)

// endpoint is one path of the service.
type endpoint struct {
	name  string // in the journal and in faults
	serve func(*Server, http.ResponseWriter, *call)
}

// endpoints is every path that answers, in lower case: the mirrored server's
// router ignores case, and nothing else.
var endpoints = map[string]endpoint{
	avalara.PathToken:               {endpointToken, (*Server).token},
	avalara.PathDiscovery:           {"discovery", (*Server).metadata},
	avalara.PathJWKS:                {"jwks", (*Server).jwks},
	avalara.PathAuthorize:           {"authorize", (*Server).notMirrored},
	avalara.PathEndSession:          {"endsession", (*Server).notMirrored},
	avalara.PathCheckSession:        {"checksession", (*Server).notMirrored},
	avalara.PathDeviceAuthorization: {endpointDevice, (*Server).deviceAuthorization},
	pathDevicePage:                  {"device", (*Server).devicePage},
	avalara.PathRegistration:        {"register", (*Server).notMirrored},
	avalara.PathIntrospection:       {"introspect", (*Server).introspect},
	avalara.PathRevocation:          {"revocation", (*Server).revocation},
	avalara.PathUserInfo:            {"userinfo", (*Server).userinfo},
}

// ServeHTTP answers a request as the mirrored server does, or as the first
// fault that strikes it says, and writes it down.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ep, known := endpoints[strings.ToLower(r.URL.Path)]
	if !known {
		ep = endpoint{"unknown", func(_ *Server, w http.ResponseWriter, _ *call) { writeEmpty(w, http.StatusNotFound) }}
	}
	c := s.read(w, r)
	if known {
		c.fault = s.faults.Next(control.Call{Endpoint: ep.name, Client: c.creds.id, Scopes: s.askedScopes(ep.name, c)})
	}
	a := &answer{ResponseWriter: w, chunk: r.ProtoAtLeast(1, 1), journal: s.journal, entry: control.Entry{
		Time:     s.clock.Now(),
		Service:  s.name + " identity",
		Endpoint: ep.name,
		Method:   r.Method,
		Path:     r.URL.Path,
		Query:    r.URL.RawQuery,
		Header:   r.Header,
		Body:     c.raw,
		Client:   c.creds.id,
		Faulted:  c.fault != nil,
	}}
	// A dropped connection writes no header: it is written down here, with
	// status 0, while the panic that drops it passes.
	defer a.record(0)
	c.fault.Serve(a, r, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { ep.serve(s, w, c) }))
}

// notMirrored answers for the endpoints that no public source describes.
func (s *Server) notMirrored(w http.ResponseWriter, _ *call) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	writeBody(w, http.StatusNotImplemented, []byte("not mirrored: no source"))
}
