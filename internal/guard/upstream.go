package guard

import (
	"errors"
	"fmt"
	"slices"
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
	// Proxy is what connections there go through. The zero Proxy is none.
	Proxy Proxy
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

// Validate refuses what is no base URL, what is not spelled in plain ASCII, and
// every host of production: no setting may lead there. A host of production is a
// [*ProductionError].
func (u Upstream) Validate() error {
	_, err := u.Plain()
	return err
}

// Plain is u with each URL in the one spelling in which it is judged and dialled,
// or the error of [Upstream.Validate].
func (u Upstream) Plain() (Upstream, error) {
	var errs []error
	read := func(setting, base string) string {
		plain, err := plainBase(setting, base)
		errs = append(errs, err)
		return plain
	}
	u.Identity = read("identity_url", u.Identity)
	apis := map[avalara.API]string{}
	for _, api := range avalara.APIs() {
		if base, ok := u.APIs[api]; ok {
			apis[api] = read(urlSetting(api), base)
		}
	}
	u.APIs = apis
	return u, errors.Join(errs...)
}

func plainBase(setting, base string) (string, error) {
	if base == "" {
		return "", nil
	}
	plain, at, err := avalara.ReadBase(base)
	switch {
	case at.Production():
		return "", &ProductionError{Host: at.Name}
	case err != nil:
		return "", fmt.Errorf("environments.sandbox.%s is no base URL such as https://host: %w", setting, err)
	}
	return plain, nil
}

// NoHostError is about an API of the sandbox whose host is not known, so that nothing can
// be bought from it.
type NoHostError struct{ API avalara.API }

// Error names the setting that says it.
func (e *NoHostError) Error() string {
	return fmt.Sprintf("the sandbox host of the %s API is unknown; set environments.sandbox.%s in hsharness.yaml", e.API, urlSetting(e.API))
}

// Base is the base URL of an API, or a [NoHostError].
func (u Upstream) Base(api avalara.API) (string, error) {
	if base := u.APIs[api]; base != "" {
		return base, nil
	}
	return "", &NoHostError{api}
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
	_, at, err := avalara.ReadURL(base)
	return err == nil && at.Loopback()
}

// ProductionError says that a request would have gone to production.
type ProductionError struct{ Host string }

func (e *ProductionError) Error() string {
	return fmt.Sprintf("%s is production, which hsharness never calls; no flag allows it", e.Host)
}
