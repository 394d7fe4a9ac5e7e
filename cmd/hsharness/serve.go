package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/clients"
	"github.com/hsharness/hsharness/cmd/internal/limits"
	"github.com/hsharness/hsharness/cmd/internal/reach"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/quota"
)

// serveFlags are what serve takes besides the global flags.
type serveFlags struct {
	addresses services.Addresses
	clients   []string
	file      string
	anyClient bool
	tls       reach.TLS
	public    reach.Public
	allowance int64
	basic     bool
	api       apiFlags
	state     string
	hsData    string
	readyFile string
	envFile   reach.EnvFile
	skew      time.Duration
	checkOnly bool
	serving   limits.Serving
}

func (p *program) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve mock identity services and classification APIs for local development",
		Long: `Serves the mock identity service and the mock classification API of the sandbox
and of production on loopback, each at the root of a port of its own, and a
control endpoint. It prints one line of JSON with every URL and the credentials,
and runs until it is interrupted.`,
		Example: `  hsharness serve
  hsharness serve --client my-id:my-secret --ready-file ready.json
  hsharness serve --clients clients.yaml
  hsharness serve --tls --tls-ca ca.pem
  hsharness serve --env-file .env.hsharness
  hsharness serve --identity-addr 127.0.0.1:0 --api-addr 127.0.0.1:0 --control-addr 127.0.0.1:0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.checkOnly {
				return reach.Health(cmd.Context(), f.addresses.Control, f.tls)
			}
			return limits.Within(cmd.Context(), f.serving.Grace, func() error { return p.serve(cmd, f) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addresses.Identity, "identity-addr", "127.0.0.1:8700", "first identity `address`: sandbox, production")
	flags.StringVar(&f.addresses.API, "api-addr", "127.0.0.1:8710", "first API `address`: sandbox current, legacy, managed, then production")
	flags.StringVar(&f.addresses.Control, "control-addr", "127.0.0.1:8720", "`address` of the control endpoint")
	flags.StringArrayVar(&f.clients, "client", nil, "accept this client, `ID:SECRET[:SCOPE,…]`, instead of the default one (repeatable)")
	flags.StringVar(&f.file, "clients", "", "accept the clients of this YAML `file` instead, with its API resources")
	flags.BoolVar(&f.anyClient, "any-client", false, "accept any client id and secret")
	typed.Span(flags, &f.skew, "token-skew", 5*time.Minute, "accept a token for this `time` after its expiry")
	typed.Number(flags, &f.allowance, "sandbox-allowance", 0, quota.MaxUnits, "answer only `N` classification requests on the mock sandbox, ever (default no limit)")
	flags.StringVar(&f.state, "state", "", "keep the mock sandbox's count and its managed classifications in this `file`")
	flags.BoolVar(&f.basic, "basic-auth", false, "let the managed APIs accept ID:SECRET by Basic authentication too")
	f.api.add(flags)
	flags.StringVar(&f.hsData, "hs-data", "", "answer from this `file`: public CSV with columns section,hscode,description,parent,level")
	flags.BoolVar(&f.addresses.Anywhere, "listen-anywhere", false, "allow addresses that others can reach; the services give tokens to anybody who asks")
	f.tls.Flags(flags)
	f.public.Flags(flags, reach.ServeServices())
	flags.StringVar((*string)(&f.envFile), "env-file", "", "write HSHARNESS_ and the project's exec.env variables to this `file` at each start, for an editor, docker --env-file or a shell")
	flags.StringVar(&f.readyFile, "ready-file", "", "write the line of JSON to this `file` once all services answer")
	f.serving.Flags(flags)
	flags.BoolVar(&f.checkOnly, "check", false, "serve nothing, but ask a serve with these flags whether its services answer: a container's health check")
	return cmd
}

func (p *program) serve(cmd *cobra.Command, f serveFlags) (err error) {
	start := time.Now()
	cfg, err := f.config(cmd.Flags())
	if err != nil {
		return usageError(err)
	}
	pr, err := p.project()
	if err != nil {
		return err
	}
	if cfg.API.Learned, err = pr.Learned(); err != nil {
		return usageError(err)
	}
	if cfg.API.Schedules, err = pr.OpenSchedules(f.api.schedules); err != nil {
		return usageError(err)
	}
	if err := reach.ClearReady(f.readyFile); err != nil {
		return usageError(err)
	}
	own, err := p.envFile(pr, f.envFile)
	if err != nil {
		return err
	}
	if f.addresses.Public, err = f.public.Read(reach.ServeServices(), true); err != nil {
		return typedError(err)
	}
	if f.addresses.TLS, err = f.tls.Config(f.addresses.Public, f.addresses.Identity, f.addresses.API, f.addresses.Control); err != nil {
		return usageError(err)
	}
	server, err := services.Serve(cfg, f.addresses)
	if err != nil {
		return usageError(reach.OrOtherPorts(err))
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), f.serving.Grace*7/8)
		defer cancel()
		err = errors.Join(err, server.Shutdown(ctx))
	}()
	if f.tls.On {
		server.Endpoints.CAFile = f.tls.CAFile
	}

	if err := f.envFile.Write(server.Endpoints, own); err != nil { // who waits for the ready file may read it
		return usageError(err)
	}
	line, err := reach.Ready(server.Endpoints, f.readyFile)
	if err != nil {
		return usageError(err)
	}
	if _, err := p.stdout.Write(line); err != nil {
		return err
	}
	if !p.quiet {
		fmt.Fprintf(p.stderr, "ready in %s; %sstop with Ctrl-C\n", time.Since(start).Round(time.Millisecond), server.Learned())
	}
	<-cmd.Context().Done()
	return nil
}

// envFile makes way for the file, and reads what is in it besides HSHARNESS_.
func (p *program) envFile(proj *project.Project, f reach.EnvFile) (names.List, error) {
	if f == "" {
		return nil, nil
	}
	own, err := p.own(proj, meterFlags{})
	if err == nil {
		if err = f.Clear(); err != nil {
			err = usageError(err)
		}
	}
	return own, err
}

// config turns the flags into what the mocks need.
func (f serveFlags) config(flags *pflag.FlagSet) (services.Config, error) {
	cfg := services.Config{AnyClient: f.anyClient, StateFile: f.state, TokenSkew: f.skew, BasicAuth: f.basic, Limits: f.serving.Limits}
	err := f.serving.Check()
	if err != nil {
		return cfg, err
	}
	if cfg.API, err = f.api.config(flags); err != nil {
		return cfg, err
	}
	if f.skew == 0 {
		cfg.TokenSkew = -1 // none, where zero is the default
	}
	for _, text := range f.clients {
		c, err := clients.Parse(text)
		if err != nil {
			return cfg, err
		}
		cfg.Clients = append(cfg.Clients, c)
	}
	if f.file != "" {
		if len(f.clients) > 0 {
			return cfg, errors.New("--client and --clients both say who may ask: give one of them")
		}
		if cfg.Clients, cfg.Resources, err = clients.Read(f.file); err != nil {
			return cfg, err
		}
	}
	if flags.Changed("sandbox-allowance") {
		cfg.SandboxAllowance = &f.allowance
	}
	if f.hsData != "" {
		file, err := files.Open(f.hsData, files.Text)
		if err != nil {
			return cfg, err
		}
		defer func() { _ = file.Close() }()
		if cfg.Catalogue, err = catalogue.Load(file, f.hsData); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}
