//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// wine, inWine and orInWine are Linux's.
func wine() bool { return false }

func inWine(*testscript.Env) {}

func orInWine(main func()) func() { return main }
