package avalara

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Address is a host as a connection to it is made: whatever takes a URL or the
// name of a host compares and dials this, and not what was written.
type Address struct {
	// Name is a DNS name in lower case and without a dot at its end, or an IP
	// address in the one spelling that it has.
	Name string
	// IP is the address in Name, invalid for a DNS name. An IPv4 address that was
	// written as an IPv6 one is an IPv4 address.
	IP netip.Addr
	// Port is a number from 1 to 65535; 0 is the scheme's own.
	Port int
}

// ReadAddress reads HOST or HOST:PORT, as it stands in a URL or a Host header.
// It takes plain ASCII only: other characters are mapped to some before a name
// is dialled, so that a name which looks like another may well be that. An IP
// address has one spelling: 0177.0.0.1, 127.1 and 2130706433 are dialled as one
// address by this machine, and as another or as a name by the next.
func ReadAddress(text string) (Address, error) {
	host, port, err := split(text)
	if err != nil {
		return Address{}, err
	}
	at := Address{}
	if port != "" {
		if at.Port, err = strconv.Atoi(port); err != nil || at.Port < 1 || at.Port > 65535 || strings.ContainsAny(port, "+-") {
			return Address{}, fmt.Errorf("port %+q is none of 1 to 65535", port)
		}
	}
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		at.IP, err = netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !at.IP.Is6() || at.IP.Zone() != "" {
			return Address{}, fmt.Errorf("host %+q is no IPv6 address in brackets, without a zone", host)
		}
	} else if host, err = readName(host); err != nil {
		return Address{}, err
	} else if numeric(host) {
		if at.IP, err = netip.ParseAddr(host); err != nil {
			return Address{}, fmt.Errorf("host %+q looks like an address and is none: write four numbers from 0 to 255, such as 127.0.0.1", host)
		}
	}
	at.Name = host
	if at.IP.IsValid() {
		at.IP = at.IP.Unmap()
		at.Name = at.IP.String()
	}
	return at, nil
}

// split cuts the port off.
func split(text string) (host, port string, err error) {
	host = text
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
	}
	if strings.HasPrefix(host, "[") != strings.HasSuffix(host, "]") {
		return "", "", fmt.Errorf("host %+q has one bracket of two", text)
	}
	return host, port, nil
}

// longestName is that of RFC 1035 §2.3.4 as text.
const longestName = 253

// readName reads a DNS name. Underscores are no part of host names, but many
// networks of containers use them.
func readName(text string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	for _, c := range name {
		if c > '~' || c <= ' ' {
			return "", fmt.Errorf("host %+q has %+q in it, and only plain ASCII is what it looks like: write the name in a to z, 0 to 9, dots and hyphens", text, c)
		}
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return "", fmt.Errorf("host %+q has %+q in it: a name is made of a to z, 0 to 9, dots and hyphens", text, c)
		}
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || len(name) > longestName {
			return "", fmt.Errorf("host %+q is no name: it or one of its parts is empty or too long", text)
		}
	}
	return name, nil
}

// numeric tells whether a name ends like a number, so that some resolvers take
// all of it for an IPv4 address.
func numeric(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	digits := strings.TrimPrefix(last, "0x")
	return strings.Trim(last, "0123456789") == "" || len(digits) < len(last) && strings.Trim(digits, "0123456789abcdef") == ""
}

// String is HOST or HOST:PORT.
func (a Address) String() string {
	host := a.Name
	if a.IP.Is6() {
		host = "[" + host + "]"
	}
	if a.Port != 0 {
		return host + ":" + strconv.Itoa(a.Port)
	}
	return host
}

// Loopback tells whether the address is on this machine for certain: an address
// of loopback, or localhost, which whoever dials it must dial as one. No other
// name is: a resolver may say anything of it.
func (a Address) Loopback() bool { return a.IP.IsLoopback() || a.Name == "localhost" }

// Dialled lists what to dial for the address, in order, each as HOST:PORT: for
// localhost the addresses of loopback, since a name leads wherever a resolver
// says.
func (a Address) Dialled() []string {
	if a.Name != "localhost" {
		return []string{a.String()}
	}
	port := strconv.Itoa(a.Port)
	return []string{"127.0.0.1:" + port, "[::1]:" + port}
}

// Environment tells which environment the address belongs to, be it an identity
// or an API host. ok is false for every other one.
func (a Address) Environment() (env Environment, ok bool) {
	for _, e := range Environments() {
		if IdentityHost(e) == a.Name {
			return e, true
		}
	}
	for _, h := range hosts {
		if h.Name != "" && h.Name == a.Name {
			return h.Environment, true
		}
	}
	return "", false
}

// Production tells whether the address is a host of production.
func (a Address) Production() bool {
	env, ok := a.Environment()
	return ok && env == Production
}

// URLAddress is the address that a request to u goes to, with its port.
func URLAddress(u *url.URL) (Address, error) {
	port, ok := map[string]int{"http": 80, "https": 443}[strings.ToLower(u.Scheme)]
	switch {
	case !ok:
		return Address{}, fmt.Errorf("scheme %+q is neither http nor https", u.Scheme)
	case u.Host == "":
		return Address{}, errors.New("it has no host")
	}
	at, err := ReadAddress(u.Host)
	if at.Port == 0 {
		at.Port = port
	}
	return at, err
}

// ReadURL reads an absolute http or https URL that holds no credential, and is
// the address that a request to it goes to. The URL's host is then spelled as it
// is dialled, without the port that goes without saying. Errors don't repeat the
// text, which may hold a secret.
func ReadURL(text string) (*url.URL, Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) {
			err = bad.Err // without the text
		}
		return nil, Address{}, fmt.Errorf("it is no URL: %w", err)
	}
	at, err := URLAddress(u)
	switch {
	case err != nil:
		return nil, Address{}, err
	case u.User != nil:
		return nil, Address{}, errors.New("it holds a user name or a password")
	}
	short := at
	if u.Scheme == "http" && at.Port == 80 || u.Scheme == "https" && at.Port == 443 {
		short.Port = 0
	}
	u.Host = short.String()
	return u, at, nil
}

// ReadBase reads a base URL, of a scheme and a host and nothing else, and spells
// it in the one way that there is.
func ReadBase(text string) (base string, at Address, err error) {
	u, at, err := ReadURL(text)
	if err != nil {
		return "", Address{}, err
	}
	if strings.Trim(u.EscapedPath(), "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#") {
		return "", at, errors.New("it must be a scheme and a host, nothing else")
	}
	return u.Scheme + "://" + u.Host, at, nil
}
