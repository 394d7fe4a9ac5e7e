// Package avalara holds what is known of Avalara's HS classification service
// as data: environments, hosts, scopes, paths and error numbers.
//
// It touches nothing: facts need no other package of this module, no file and no
// network.
//
// It is the only place where such a fact may stand. Each one says where it was
// read and how sure it is ([Verified] or [Assumed]); an assumption is always
// reachable by a setting of the package that uses it.
package avalara

import "strings"

// Evidence says how sure a fact is.
type Evidence string

const (
	// Verified facts were read in the vendor's own documentation, in a capture
	// of the live service, or in the source of a client that ships.
	Verified Evidence = "verified"
	// Assumed facts are inferred. Nothing public confirms them.
	Assumed Evidence = "assumed"
)

// Environment is one identity host with its API hosts and their scopes.
type Environment string

const (
	// Production is https://identity.avalara.com. hsharness never calls it.
	Production Environment = "production"
	// Sandbox is https://ai-sbx.avlr.sh, whose classification API answers only
	// a fixed number of requests for ever.
	Sandbox Environment = "sandbox"
)

// Environments lists both environments, sandbox first: it is the default.
func Environments() []Environment { return []Environment{Sandbox, Production} }

// API names one of the three classification hosts of an environment.
type API string

const (
	// Current is the host of the "HSCode classification service".
	Current API = "current"
	// Legacy is its older host, bound to another scope.
	Legacy API = "legacy"
	// Managed is the host of "Managed and Premium Tariff Code Classification".
	Managed API = "managed"
)

// APIs lists the three APIs in the order in which serve gives them ports.
func APIs() []API { return []API{Current, Legacy, Managed} }

// The two OAuth2 scopes. Neither is listed in the discovery document's
// scopes_supported. Source: developer.avalara.com, "HSCode classification
// service"; verified.
const (
	ScopeHSCode = "hs-code-classification"
	ScopeAvaTax = "avatax_api"
)

// Scopes lists both scopes.
func Scopes() []string { return []string{ScopeHSCode, ScopeAvaTax} }

// TokenLifetime is how long a token lives, in seconds. Source:
// developer.avalara.com ("1 hour"); verified.
const TokenLifetime = 3600

// Paths of the identity service. Source: the live discovery document of
// https://identity.avalara.com, captured 2026-06-20; verified. The sandbox is
// the same program, so its paths are assumed to be the same.
const (
	PathToken     = "/connect/token"
	PathDiscovery = "/.well-known/openid-configuration"
	PathJWKS      = "/.well-known/openid-configuration/jwks"
)

// Paths of the classification APIs. Source: the vendor's own endpoint index,
// 2026-08-05; verified. That they join the hosts without a base path is
// assumed.
const (
	PathClassify        = "/hscode/classify"
	PathClassifyFromHS6 = "/hscode/classify_from_hs6"
	PathEnhanced        = "/hscode-enhanced/classify"
	PathHints           = "/hscode/hints"
	// PathManaged has one parameter, the company's id.
	PathManaged = "/api/v2/companies/{companyId}/classifications/hs"
)

// IdentityURL is the base URL, and so the issuer, of an environment's identity
// service. The production issuer is verified by its discovery document; that
// the sandbox's issuer is its own host is assumed.
func IdentityURL(env Environment) string {
	if env == Production {
		return "https://identity.avalara.com"
	}
	return "https://ai-sbx.avlr.sh"
}

// IdentityHost is the DNS name in [IdentityURL].
func IdentityHost(env Environment) string { return strings.TrimPrefix(IdentityURL(env), "https://") }

// Host is one API host.
type Host struct {
	Environment Environment
	API         API
	// Name is the DNS name, empty when it is unknown: the vendor's page that
	// names the legacy sandbox host was not readable to us.
	Name string
	// Scopes are those the host accepts, any of them. The first is the one a
	// client should ask for.
	Scopes []string
	// Evidence is about Scopes; every Name given is verified.
	Evidence Evidence
}

// hosts: developer.avalara.com for current and legacy, whose scope is "based
// on your endpoint URL"; the vendor's 2019 swagger and the WooCommerce plugin
// for managed. Managed took Basic authentication in 2022; that it takes a
// bearer token with either scope today is assumed.
var hosts = []Host{
	{Sandbox, Current, "hscode.api.sbx.avalara.com", []string{ScopeHSCode}, Verified},
	{Sandbox, Legacy, "", []string{ScopeAvaTax}, Verified},
	{Sandbox, Managed, "api-sandbox.classification.avalara.net", []string{ScopeHSCode, ScopeAvaTax}, Assumed},
	{Production, Current, "hscode.api.avalara.com", []string{ScopeHSCode}, Verified},
	{Production, Legacy, "hscode.avatax.avalara.com", []string{ScopeAvaTax}, Verified},
	{Production, Managed, "api.classification.avalara.net", []string{ScopeHSCode, ScopeAvaTax}, Assumed},
}

// HostOf returns the API host of an environment. It returns the zero Host for
// a name that is neither of the constants above.
func HostOf(env Environment, api API) Host {
	for _, h := range hosts {
		if h.Environment == env && h.API == api {
			h.Scopes = append([]string(nil), h.Scopes...)
			return h
		}
	}
	return Host{}
}

// EnvironmentOfHost tells which environment a host belongs to, be it an identity
// or an API host, in whatever spelling it is dialled. ok is false for every
// other name, and for one that can't be read, see [ReadAddress].
func EnvironmentOfHost(name string) (env Environment, ok bool) {
	at, err := ReadAddress(name)
	if err != nil {
		return "", false
	}
	return at.Environment()
}
