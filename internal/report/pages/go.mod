module github.com/hsharness/hsharness/internal/report/pages

go 1.26.0

require (
	github.com/hsharness/hsharness v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	pgregory.net/rapid v1.2.0
)
