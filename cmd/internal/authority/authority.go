// Package authority makes certificate authorities that live as long as a run, and the
// certificates that they sign: for the service's real hosts, which a sealed or
// intercepted command reaches here instead, and for servers of this machine.
//
// It may touch the random source, the clock, and the bundle of certificates that the
// system has.
package authority

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// life is how long the certificates of a run are good. A run that lasts longer ends
// with clients that refuse them, and no key of one outlives it.
const life = 7 * 24 * time.Hour

// behind is how far the clock of whoever looks at a certificate may be behind.
const behind = time.Hour

// domains are those of the service's hosts, with what is below each.
func domains() []string { return []string{"avalara.com", "avlr.sh", "avalara.net"} }

// Authority is a certificate authority. Its key is in this memory alone. It is safe for
// concurrent use.
type Authority struct {
	cert    *x509.Certificate // as it was made, with its own id
	key     *ecdsa.PrivateKey
	leafKey *ecdsa.PrivateKey // of all leaves
	names   []string          // that it may sign, with what is below each

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by name, at most mostLeaves
}

// mostLeaves bounds the certificates that are kept. There are some ten hosts; whoever
// asks for others gets theirs made each time.
const mostLeaves = 64

// New makes the authority of one run. It can sign for the service's own domains and for
// the names given, and for nothing else, no address included: a certificate of it for
// any other name is refused by whoever trusts it. Names are DNS names in lower case.
func New(names ...string) (*Authority, error) {
	all := append(domains(), names...)
	for _, name := range names {
		if !isName(name) {
			return nil, fmt.Errorf("%q is no DNS name that a certificate can be for", name)
		}
	}
	a, err := create("hsharness, this run only", life, func(ca *x509.Certificate) {
		ca.PermittedDNSDomainsCritical, ca.PermittedDNSDomains = true, all
		ca.ExcludedIPRanges = []*net.IPNet{
			{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
		}
	})
	if err != nil {
		return nil, err
	}
	a.names = all
	return a, nil
}

// Machine makes an authority for servers of this machine: it can sign for any name and
// address, for which reason its key is used once, by [Authority.Sign], and thrown away.
func Machine(subject string, life time.Duration) (*Authority, error) {
	return create(subject, life, func(*x509.Certificate) {})
}

// create makes an authority, limited by limit.
func create(subject string, life time.Duration, limit func(*x509.Certificate)) (*Authority, error) {
	key, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	begin := time.Now().Add(-behind)
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: subject},
		NotBefore: begin, NotAfter: begin.Add(life), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	limit(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	// As it was made the authority has an id, by which a leaf has to name it: strict
	// clients, such as those of Python 3.13, refuse one that does not.
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{cert: made, key: key, leafKey: leafKey, leaves: map[string]*tls.Certificate{}}, nil
}

// PEM is the authority's certificate, for those who are to trust it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Bundle is a system's bundle of certificates with the authority's at its end. Nil is a
// system without one.
func (a *Authority) Bundle(system []byte) []byte {
	bundle := slices.Clone(system)
	if len(bundle) > 0 && bundle[len(bundle)-1] != '\n' {
		bundle = append(bundle, '\n')
	}
	return append(bundle, a.PEM()...)
}

// Sign makes a certificate for names and addresses, the chain with it, as good as the
// authority's own.
func (a *Authority) Sign(subject string, names []string, addresses []net.IP) (*tls.Certificate, error) {
	leaf := &x509.Certificate{
		Subject:   pkix.Name{CommonName: subject},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    names, IPAddresses: addresses,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, a.leafKey.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: a.leafKey}, nil
}

// TLS serves with a certificate for the name that a client asks for, made when it is
// first asked for; a name that the authority can't sign for ends the handshake.
func (a *Authority) TLS() *tls.Config {
	return &tls.Config{
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return a.leaf(hello.ServerName) },
		MinVersion:     tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
	}
}

// NotOursError says that an authority signs nothing for a name.
type NotOursError struct{ Name string }

func (e *NotOursError) Error() string {
	return fmt.Sprintf("%q is none of the names that this run's certificates are for", cmp.Or(e.Name, "no name"))
}

// leaf is the certificate for a name.
func (a *Authority) leaf(name string) (*tls.Certificate, error) {
	name = strings.ToLower(name)
	if !a.Covers(name) {
		return nil, &NotOursError{name}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if leaf := a.leaves[name]; leaf != nil {
		return leaf, nil
	}
	leaf, err := a.Sign("hsharness", []string{name}, nil)
	if err == nil && len(a.leaves) < mostLeaves {
		a.leaves[name] = leaf
	}
	return leaf, err
}

// Covers tells whether the authority can sign for a name, in lower case.
func (a *Authority) Covers(name string) bool {
	return isName(name) && slices.ContainsFunc(a.names, func(domain string) bool {
		return name == domain || strings.HasSuffix(name, "."+domain)
	})
}

// isName tells whether a text is a DNS name as certificates have them.
func isName(name string) bool {
	if len(name) > 253 || net.ParseIP(name) != nil {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
