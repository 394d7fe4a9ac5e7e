// Package certificate makes certificates for servers of this machine. It may touch
// package files, the random source and the clock.
package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"net"
	"time"

	"github.com/hsharness/hsharness/internal/files"
)

// Make makes a certificate as [New] does, and writes the authority's to a file for
// the clients.
func Make(caFile string, hosts ...string) (*tls.Config, error) {
	cfg, ca, err := New(hosts...)
	if err != nil {
		return nil, err
	}
	return cfg, files.Replace(caFile, ca)
}

// life is longer than anybody leaves mock services running.
const life = 30 * 24 * time.Hour

// New makes a certificate authority of its own and a certificate for this
// machine that it signed. The authority's key is thrown away: nothing else will
// ever be signed by it. It returns what to serve with, and the authority's
// certificate as PEM for those who are to trust it. Hosts are names and
// addresses besides those of loopback.
func New(hosts ...string) (*tls.Config, []byte, error) {
	caKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, err
	}
	begin := time.Now().Add(-time.Hour) // for clocks that are behind
	ca := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "hsharness mock services, this run only"},
		NotBefore: begin, NotAfter: begin.Add(life), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "localhost"},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else if host != "" {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, nil, err
	}
	// As it was made the authority has an id, by which a leaf has to name it: strict
	// clients, such as those of Python 3.13, refuse one that does not.
	made, err := x509.ParseCertificate(caDER)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, made, key.Public(), caKey)
	if err != nil {
		return nil, nil, err
	}
	cfg := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der, caDER}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}
	return cfg, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), nil
}
