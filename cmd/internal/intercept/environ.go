package intercept

import (
	"net"
	"path"
	"slices"
	"strings"
	"unicode"
)

// proxied are the variables by which clients find a proxy. Some read them in capitals,
// some in small letters.
var proxied = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}

// local are the names of loopback as a proxy's exceptions.
var local = []string{"127.0.0.1", "localhost", "::1"}

// Environ is an environment whose clients ask the proxy, and trust it.
func (p *Proxy) Environ(environ []string) []string {
	given := func(name string) (value string) {
		for _, v := range environ {
			if text, ok := strings.CutPrefix(v, name+"="); ok {
				value = text
			}
		}
		return value
	}
	host, port, _ := net.SplitHostPort(p.at.Addr().String()) // it has both
	vars := p.files.Environ(given, "-Dhttps.proxyHost="+host, "-Dhttps.proxyPort="+port,
		"-Dhttp.proxyHost="+host, "-Dhttp.proxyPort="+port, "-Dhttp.nonProxyHosts=localhost|127.*|[::1]")
	for _, name := range proxied {
		vars = append(vars, name+"="+p.url())
	}
	vars = append(vars, "NODE_USE_ENV_PROXY=1", "NO_PROXY="+p.excepting(given("NO_PROXY")), "no_proxy="+p.excepting(given("no_proxy")))
	ours := func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.ContainsFunc(vars, func(own string) bool {
			named, _, _ := strings.Cut(own, "=")
			return strings.EqualFold(name, named) // Windows knows one of both
		})
	}
	return append(slices.DeleteFunc(slices.Clone(environ), ours), vars...)
}

// excepting is a list of hosts that are asked without a proxy, with loopback and without
// what would let a real host around it.
func (p *Proxy) excepting(given string) string {
	except := strings.FieldsFunc(given, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
	except = slices.DeleteFunc(except, func(entry string) bool {
		for name := range p.real {
			if matches(entry, name) {
				return true
			}
		}
		return false
	})
	for _, name := range local {
		if !slices.Contains(except, name) {
			except = append(except, name)
		}
	}
	return strings.Join(except, ",")
}

// matches tells whether a client may read an exception as one for a host: by the name or
// its end, with or without a dot before it, by a pattern, and with a port or a scheme.
func matches(entry, name string) bool {
	entry = strings.ToLower(entry)
	if _, rest, ok := strings.Cut(entry, "://"); ok {
		entry = rest
	}
	entry, _, _ = strings.Cut(entry, ":")
	entry, _, _ = strings.Cut(entry, "/") // a network is for addresses, and its rest is one
	entry = strings.TrimRight(entry, ".")
	if strings.ContainsAny(entry, "*?[") {
		if ok, err := path.Match(entry, name); ok || err != nil {
			return true
		}
	}
	return strings.HasSuffix(name, strings.TrimLeft(entry, "*."))
}
