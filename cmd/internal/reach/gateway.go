package reach

import (
	"errors"
	"fmt"
	"net"

	"github.com/hsharness/hsharness/cmd/internal/gateway"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/services"
)

// Gateway is where a gateway listens.
type Gateway struct {
	Addr, OpsAddr string
	// Anywhere allows addresses that others can reach.
	Anywhere bool
	TLS      TLS
	// Public are the URLs by which callers reach it.
	Public Public
}

// GatewayURLs is the line of JSON that a gateway prints.
type GatewayURLs struct {
	services.URLs
	// Operations is where /healthz, /readyz, /metrics and the status page are.
	Operations string `json:"operations_url"`
	CAFile     string `json:"ca_file,omitempty"`
}

// GatewayListeners are where a gateway is reached.
type GatewayListeners struct {
	Callers, Operations net.Listener
	URLs                GatewayURLs
}

// Close closes both.
func (at GatewayListeners) Close() error {
	return errors.Join(at.Callers.Close(), at.Operations.Close())
}

// Listen opens both addresses. On an error nothing is left open.
func (g Gateway) Listen() (GatewayListeners, error) {
	var at GatewayListeners
	public, err := g.Public.Read(GatewayServices(), false)
	if err != nil {
		return at, err
	}
	open := services.Addresses{Anywhere: g.Anywhere}
	var base string
	if open.TLS, err = g.TLS.Config(public, g.Addr, g.OpsAddr); err != nil {
		return at, err
	}
	if g.TLS.On {
		at.URLs.CAFile = g.TLS.CAFile
	}
	if at.Callers, base, err = open.Open(g.Addr); err != nil {
		return at, explain(err)
	}
	if at.Operations, at.URLs.Operations, err = open.Open(g.OpsAddr); err != nil {
		return at, errors.Join(explain(err), at.Callers.Close())
	}
	at.URLs.URLs = public.Sandbox.Over(services.URLs{Identity: base, API: base, Legacy: base, Managed: base})
	at.URLs.Legacy += gateway.LegacyPath
	return at, nil
}

// explain says the way out of an address that can't be had.
func explain(err error) error {
	var open *services.NotLoopbackError
	var op *net.OpError
	switch {
	case errors.As(err, &open):
		return hint.OpenGateway.About(fmt.Errorf("%s is not on loopback", open.Address))
	case errors.As(err, &op):
		return hint.OtherGatewayPorts.About(err)
	}
	return err
}
