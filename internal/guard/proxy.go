package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/hsharness/hsharness/internal/avalara"
)

// proxySetting is the key in the project file.
const proxySetting = "environments.sandbox.proxy"

// Proxy is what the guard's own connections to the sandbox go through: for tokens
// and for answers alike. It never leads to loopback, where a proxy would ask another
// machine than this one. The zero Proxy is none. It may hold a password, which no
// text of it shows.
type Proxy struct {
	http, https hop // by the scheme of the sandbox's URL
	direct      []string
}

// hop is one proxy, or why it is not known.
type hop struct {
	url *url.URL // nil is none
	by  string   // what says so
	err error
}

// String is the proxy's address without user name and password.
func (p Proxy) String() string {
	var all []string
	for _, h := range []hop{p.http, p.https} {
		if name := h.name(); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}

// GoString hides the same.
func (p Proxy) GoString() string { return "guard.Proxy(" + p.String() + ")" }

func (h hop) name() string {
	if h.url == nil {
		return ""
	}
	return h.url.Host
}

// ReadProxy reads the setting: a URL, none, or environment for what HTTP_PROXY,
// HTTPS_PROXY and NO_PROXY say, which the empty setting is too. What is wrong with
// it is told by [Upstream.Routes], and no connection is made.
func ReadProxy(setting string, getenv func(string) string) Proxy {
	switch setting {
	case "none":
		return Proxy{}
	case "", "environment":
		var p Proxy
		p.http, p.https = proxyVariable("HTTP_PROXY", getenv), proxyVariable("HTTPS_PROXY", getenv)
		if getenv("REQUEST_METHOD") != "" && getenv("HTTP_PROXY") != "" { // CGI makes it of the header Proxy of a request
			p.http = hop{}
		}
		no, _ := either("NO_PROXY", getenv)
		p.direct = strings.FieldsFunc(strings.ToLower(no), func(c rune) bool { return c == ',' || c == ' ' })
		return p
	}
	h := readHop(setting, proxySetting)
	return Proxy{http: h, https: h}
}

// Unknown is a proxy that can't be known, for the reason that err gives.
func Unknown(err error) Proxy { return Proxy{http: hop{err: err}, https: hop{err: err}} }

// either is a variable in capitals or, without one, in small letters.
func either(name string, getenv func(string) string) (value, by string) {
	if value = getenv(name); value != "" {
		return value, name
	}
	by = strings.ToLower(name)
	return getenv(by), by
}

func proxyVariable(name string, getenv func(string) string) hop {
	value, by := either(name, getenv)
	if value == "" {
		return hop{}
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	return readHop(value, by)
}

// CheckProxy says why a text can't be the setting; nil if it can. One that names
// variables is looked at when they are known.
func CheckProxy(text string) error {
	if text == "none" || text == "environment" || strings.Contains(text, "${") {
		return nil
	}
	return readHop(text, proxySetting).err
}

// proxyPorts are the ports that go without saying, by scheme.
var proxyPorts = map[string]int{"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

// readHop reads the URL of a proxy. Errors don't repeat it, for it may hold a
// password.
func readHop(text, by string) hop {
	wrong := func(why string) hop {
		return hop{by: by, err: fmt.Errorf("%s is no proxy such as http://proxy.example:3128: %s", by, why)}
	}
	u, err := url.Parse(text)
	if err != nil {
		return wrong("it is no URL")
	}
	port, ok := proxyPorts[u.Scheme]
	switch {
	case !ok:
		return wrong("its scheme is none of http, https, socks5 and socks5h")
	case u.Host == "":
		return wrong("it has no host")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return wrong("it must be a scheme and a host, with a user name and a password if need be")
	}
	at, err := avalara.ReadAddress(u.Host)
	if err != nil {
		return wrong(err.Error())
	}
	if env, real := at.Environment(); real {
		return hop{by: by, err: fmt.Errorf("%s is %s, which is a host of %s and no proxy", by, at.Name, env)}
	}
	if at.Port == 0 {
		at.Port = port
	}
	return hop{by: by, url: &url.URL{Scheme: u.Scheme, Host: at.String(), User: u.User}}
}

// on is the hop on the way to an address.
func (p Proxy) on(scheme string, to avalara.Address) hop {
	if to.Loopback() || p.excepts(to) {
		return hop{}
	}
	if scheme == "https" {
		return p.https
	}
	return p.http
}

// excepts tells whether NO_PROXY names an address: all by *, a domain with what is
// below it, only that by a dot before it, an IP address or a network, each with a
// port if need be.
func (p Proxy) excepts(to avalara.Address) bool {
	return slices.ContainsFunc(p.direct, func(entry string) bool {
		if entry == "*" {
			return true
		}
		if network, err := netip.ParsePrefix(entry); err == nil {
			return to.IP.IsValid() && network.Contains(to.IP)
		}
		name := strings.TrimPrefix(entry, "*")
		below := strings.HasPrefix(name, ".")
		at, err := avalara.ReadAddress(strings.TrimPrefix(name, "."))
		if err != nil {
			if ip, ipErr := netip.ParseAddr(entry); ipErr == nil { // IPv6 without brackets
				return to.IP == ip.Unmap()
			}
			return false
		}
		switch {
		case at.Port != 0 && at.Port != to.Port:
			return false
		case at.IP.IsValid() || to.IP.IsValid():
			return at.IP == to.IP
		}
		return !below && at.Name == to.Name || strings.HasSuffix(to.Name, "."+at.Name)
	})
}

// For is [http.Transport]'s Proxy.
func (p Proxy) For(r *http.Request) (*url.URL, error) { return p.proxy(r) }

// proxy is [http.Transport]'s Proxy.
func (p Proxy) proxy(r *http.Request) (*url.URL, error) {
	at, err := avalara.URLAddress(r.URL)
	if err != nil {
		return nil, err
	}
	h := p.on(r.URL.Scheme, at)
	return h.url, h.err
}

// Through says what a connection goes through.
type Through struct {
	// Proxy is its host and port, without user name and password; empty for a direct
	// connection.
	Proxy string
	// By is what says so: the setting, or a variable of the environment.
	By string
}

// Route is how one host of the sandbox is asked.
type Route struct {
	Host string
	Through
}

// Routes lists how each host of the sandbox is asked. The error says what is wrong
// with the setting, or with the environment where the setting follows it.
func (u Upstream) Routes() ([]Route, error) {
	var all []Route
	var errs []error
	for _, base := range []string{u.Identity, u.APIs[avalara.Current], u.APIs[avalara.Legacy], u.APIs[avalara.Managed]} {
		to, at, err := avalara.ReadURL(base)
		if err != nil {
			continue // Validate's part
		}
		h := u.Proxy.on(to.Scheme, at)
		if h.err != nil && !slices.ContainsFunc(errs, func(err error) bool { return err.Error() == h.err.Error() }) {
			errs = append(errs, h.err)
		}
		if r := (Route{to.Host, Through{h.name(), h.by}}); !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all, errors.Join(errs...)
}

// passage notes which proxies were asked. It is safe for concurrent use.
type passage struct {
	mu    sync.Mutex
	asked []string
}

func (p *passage) note(proxy string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.asked, proxy) {
		p.asked = append(p.asked, proxy)
	}
}

func (p *passage) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, ", ")
}

// ProxyError says that a proxy let nothing through: nothing reached the sandbox.
type ProxyError struct {
	Through
	// Why is what it answered, or why it could not be asked.
	Why string
}

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy %s, by %s, let nothing through: %s; correct it, or write environments.sandbox.proxy: none for a direct connection",
		e.Proxy, e.By, e.Why)
}

// refused is the error of a proxy that did not connect to the sandbox.
func (p Proxy) refused(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &ProxyError{p.through(proxy.Host), fmt.Sprintf("it answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))}
}

// named says which proxy an error of the transport is about.
func (p Proxy) named(proxy *url.URL, err error) error {
	var op *net.OpError
	if proxy == nil || !errors.As(err, &op) || op.Op != "proxyconnect" {
		return err
	}
	return &ProxyError{p.through(proxy.Host), strings.ReplaceAll(op.Err.Error(), "\n", "; ")}
}

func (p Proxy) through(host string) Through {
	for _, h := range []hop{p.https, p.http} {
		if h.name() == host {
			return Through{host, h.by}
		}
	}
	return Through{Proxy: host}
}
