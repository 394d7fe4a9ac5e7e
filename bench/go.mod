module github.com/hsharness/hsharness/bench

go 1.26.0

replace github.com/hsharness/hsharness => ../

require (
	github.com/hsharness/hsharness v0.0.0-00010101000000-000000000000
	gopkg.in/dnaeon/go-vcr.v4 v4.0.7
)

require (
	github.com/ncruces/go-sqlite3 v0.37.0 // indirect
	github.com/ncruces/go-sqlite3-wasm/v6 v6.5.35401 // indirect
	github.com/ncruces/julianday v1.0.0 // indirect
	go.yaml.in/yaml/v4 v4.0.0-rc.6 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
