module github.com/hsharness/hsharness

go 1.25

require (
	github.com/andybalholm/brotli v1.2.6
	github.com/anishathalye/porcupine v1.0.0
	github.com/expr-lang/expr v1.17.7
	github.com/goccy/go-yaml v1.18.0
	github.com/jarcoal/httpmock v1.3.1
	github.com/joshdk/go-junit v1.0.0
	github.com/klauspost/compress v1.17.9
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.1
	github.com/stretchr/testify v1.8.1
	golang.org/x/oauth2 v0.25.0
	golang.org/x/sys v0.22.0
	golang.org/x/text v0.21.0
	pgregory.net/rapid v1.2.0
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
