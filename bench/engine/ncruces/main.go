// Command ncruces is the work of the benchmark with the SQLite of github.com/ncruces/go-sqlite3/driver.
package main

import (
	_ "github.com/ncruces/go-sqlite3/driver" // the engine

	"github.com/hsharness/hsharness/bench/engine/work"
)

func main() { work.Main("sqlite3") }
