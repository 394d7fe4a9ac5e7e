// Package certificate makes certificates for servers of this machine. It may touch
// package files, the random source and the clock.
package certificate

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/authority"
	"github.com/hsharness/hsharness/internal/files"
)

// Make makes a certificate as [New] does, and writes the authority's to a file for
// the clients. What is no certificate there is not written over.
func Make(caFile string, hosts ...string) (*tls.Config, error) {
	if err := files.Like(caFile, "-----BEGIN CERTIFICATE-----"); err != nil {
		return nil, err
	}
	cfg, ca, err := New(hosts...)
	if err != nil {
		return nil, err
	}
	return cfg, files.Replace(caFile, ca)
}

// life is longer than anybody leaves a gateway running, and as long as the systems of Apple
// take a certificate to live: 825 days, of which one is theirs.
const life = 824 * 24 * time.Hour

// New makes a certificate authority of its own and a certificate for this
// machine that it signed. The authority's key is thrown away: nothing else will
// ever be signed by it. It returns what to serve with, and the authority's
// certificate as PEM for those who are to trust it. Hosts are names and
// addresses besides those of loopback.
func New(hosts ...string) (*tls.Config, []byte, error) {
	ca, err := authority.Machine("hsharness mock services, this run only", life)
	if err != nil {
		return nil, nil, err
	}
	names, addresses := []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			addresses = append(addresses, ip)
		} else if host != "" {
			names = append(names, host)
		}
	}
	leaf, err := ca.Sign("localhost", names, addresses)
	if err != nil {
		return nil, nil, err
	}
	cfg := &tls.Config{
		Certificates: []tls.Certificate{*leaf},
		MinVersion:   tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}
	return cfg, ca.PEM(), nil
}
