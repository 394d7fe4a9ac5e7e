// Package interop lets programs that others wrote judge ours: go-oidc and,
// where node and npm are, openid-client talk to the mock identity service, and
// libopenapi-validator compares the mock classification API with its OpenAPI
// document. It is a module of its own, so that they do not enter the module
// graph of those who import hsharness.
package interop
