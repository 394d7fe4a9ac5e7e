package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/guard"
)

// checkTime is how long a serve has to say that it is well.
const checkTime = 3 * time.Second

// check asks the control endpoint of a serve with these flags, somewhere on this
// machine, whether every service answers.
func (f serveFlags) check(ctx context.Context) error {
	host, port, err := net.SplitHostPort(f.addresses.Control)
	if err != nil {
		return usageError(err)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost" // which one that listens everywhere can be reached by
	}
	scheme, client := "http", guard.LocalClient(checkTime)
	if f.tls.On {
		ca, err := files.Read(f.tls.CAFile, files.Text)
		if err != nil {
			return usageError(err)
		}
		transport := guard.LocalTransport()
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(ca)
		scheme, client.Transport = "https", transport
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+"/health", nil)
	if err != nil {
		return usageError(err)
	}
	resp, err := client.Do(r)
	if isReal(err) {
		return err
	}
	if err != nil {
		return &exitError{exitFailed, fmt.Errorf("the services don't answer: %w", err)}
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &exitError{exitFailed, fmt.Errorf("the services are not well: %s", resp.Status)}
	}
	return nil
}
