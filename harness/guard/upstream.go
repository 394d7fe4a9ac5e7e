package guard

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
)

// Upstream says where the real sandbox is. Every URL is a base URL without a
// path. An empty one is unknown, and requests to it are refused.
type Upstream struct {
	// Identity is the real identity service.
	Identity string
	// APIs are the classification APIs.
	APIs map[avalara.API]string
	// Timeout is how long one attempt may take in all. Zero means
	// [DefaultTimeout].
	Timeout time.Duration
}

// DefaultTimeout bounds one attempt. A unit whose attempt ran into it counts.
const DefaultTimeout = 60 * time.Second

// RealSandbox are the service's own hosts; the legacy sandbox host is unknown.
func RealSandbox() Upstream {
	u := Upstream{Identity: avalara.IdentityURL(avalara.Sandbox), APIs: map[avalara.API]string{}}
	for _, api := range avalara.APIs() {
		if name := avalara.HostOf(avalara.Sandbox, api).Name; name != "" {
			u.APIs[api] = "https://" + name
		}
	}
	return u
}

// Validate refuses what is no base URL and every host of production: no
// setting may lead there. A host of production is a [*ProductionError].
func (u Upstream) Validate() error {
	errs := []error{validateBase("identity_url", u.Identity)}
	for _, api := range avalara.APIs() {
		errs = append(errs, validateBase(urlSetting(api), u.APIs[api]))
	}
	return errors.Join(errs...)
}

func validateBase(setting, base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("environments.sandbox.%s is no base URL such as https://host", setting)
	}
	if isProduction(u.Hostname()) {
		return &ProductionError{Host: u.Hostname()}
	}
	if !strings.EqualFold(strings.TrimSuffix(base, "/"), u.Scheme+"://"+u.Host) {
		return fmt.Errorf("environments.sandbox.%s must be a scheme and a host, nothing else", setting)
	}
	return nil
}

// urlSetting is the key in the project file that gives an API's URL.
func urlSetting(api avalara.API) string {
	switch api {
	case avalara.Legacy:
		return "legacy_api_url"
	case avalara.Managed:
		return "managed_api_url"
	}
	return "api_url"
}

// AnyLoopback tells whether one of the URLs given is on loopback.
func (u Upstream) AnyLoopback() bool {
	for _, base := range u.given() {
		if isLoopback(base) {
			return true
		}
	}
	return false
}

// AllLoopback tells whether all URLs given are on loopback, so that there is no
// real allowance to lose.
func (u Upstream) AllLoopback() bool {
	given := u.given()
	for _, base := range given {
		if !isLoopback(base) {
			return false
		}
	}
	return len(given) > 0
}

func (u Upstream) given() []string {
	var all []string
	for _, base := range u.APIs {
		all = append(all, base)
	}
	all = append(all, u.Identity)
	return slices.DeleteFunc(all, func(base string) bool { return base == "" })
}

func isLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// isProduction tells whether a host belongs to production, in any spelling DNS
// takes for the same name.
func isProduction(host string) bool {
	host = strings.ToLower(strings.TrimRight(host, "."))
	env, ok := avalara.EnvironmentOfHost(host)
	return ok && env == avalara.Production
}

// ProductionError says that a request would have gone to production.
type ProductionError struct{ Host string }

func (e *ProductionError) Error() string {
	return fmt.Sprintf("%s is production, which hsharness never calls; no flag allows it", e.Host)
}
