// Package interop lets clients that others wrote talk to the mock identity
// service: go-oidc and, where node and npm are, openid-client. It is a module of
// its own, so that they do not enter the module graph of those who import
// hsharness.
package interop
