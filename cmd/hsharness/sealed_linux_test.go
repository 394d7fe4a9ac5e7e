package main

import "testing"

// TestSealedScripts are those of seals, which Linux alone has.
func TestSealedScripts(t *testing.T) { scripts(t, "testdata/linux") }
