module github.com/hsharness/hsharness/interop

go 1.26.0

replace github.com/hsharness/hsharness => ../

require (
	github.com/coreos/go-oidc/v3 v3.21.0
	github.com/hsharness/hsharness v0.0.0-00010101000000-000000000000
)

require (
	github.com/go-jose/go-jose/v4 v4.1.4 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
)
