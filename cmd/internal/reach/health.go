package reach

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
	"github.com/hsharness/hsharness/internal/hint"
)

// checkTime is how long a server has to say that it is well.
const checkTime = 3 * time.Second

// UnwellError says that services don't answer, or that one of them is not well.
type UnwellError struct{ Err error }

func (e *UnwellError) Error() string { return e.Err.Error() }

// Unwrap is the error of who was asked.
func (e *UnwellError) Unwrap() error { return e.Err }

// Health asks a control endpoint somewhere on this machine whether every service
// answers. That they don't is an [*UnwellError].
func Health(ctx context.Context, control string, t TLS) error {
	host, port, err := net.SplitHostPort(control)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost" // which one that listens everywhere can be reached by
	}
	scheme, client := "http", guard.LocalClient(checkTime)
	if t.On {
		ca, err := files.Read(t.CAFile, files.Text)
		if err != nil {
			return err
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
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return &UnwellError{hint.StartServices.About(fmt.Errorf("the services don't answer: %w", err))}
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &UnwellError{hint.StartServices.About(fmt.Errorf("the services are not well: %s", resp.Status))}
	}
	return nil
}
