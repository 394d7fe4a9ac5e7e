// Command modernc is the work of the benchmark with the SQLite of modernc.org/sqlite.
package main

import (
	_ "modernc.org/sqlite" // the engine

	"github.com/hsharness/hsharness/bench/engine/work"
)

func main() { work.Main("sqlite") }
