// Package scenarios holds the scenario files that hsharness ships: the
// product's story, told by tests. `hsharness run` runs them where there is no
// project, for who looks around.
//
// It touches nothing: the files are part of whatever imports it.
package scenarios

import "embed"

// FS holds the *.yaml files of this folder.
//
//go:embed *.yaml
var FS embed.FS
