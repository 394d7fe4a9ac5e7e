package catalogue_test

import (
	"os"
	"testing"

	"github.com/hsharness/hsharness/harness/mockapi/catalogue"
)

func TestDev(t *testing.T) {
	raw, _ := os.ReadFile("/tmp/dev.tsv")
	score(t, catalogue.Default(), parseTitles(t, string(raw)))
	f, err := os.Open("/work/shared/data/harmonized-system.csv")
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalogue.Load(f, "x")
	if err != nil {
		t.Fatal(err)
	}
	t.Log("==== with data", c.Len())
	score(t, c, parseTitles(t, string(raw)))
	score(t, c, titles(t))
}
