package clients

import "testing"

// TestWhoCountsOtherwiseIsSeen gives the gallery's check what a fault would come to.
func TestWhoCountsOtherwiseIsSeen(t *testing.T) {
	good := func() counts {
		return counts{
			Codes: []string{"6109100012", "8471300100"}, Served: goods, Ledger: goods,
			Bill: bill{Requests: goods, Spent: goods, Mode: "record", Verdict: "ok", Seal: "sealed"},
		}
	}
	if err := good().check(goods); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*counts){
		"the program failed":                     func(c *counts) { c.Exit = 1 },
		"it printed one code":                    func(c *counts) { c.Codes = c.Codes[:1] },
		"it printed something else":              func(c *counts) { c.Codes[1] = "6109100012" },
		"the sandbox served one more":            func(c *counts) { c.Served++ },
		"the sandbox served none":                func(c *counts) { c.Served = 0 },
		"the ledger has one less":                func(c *counts) { c.Ledger-- },
		"the bill has one less":                  func(c *counts) { c.Bill.Spent-- },
		"everybody saw one more":                 func(c *counts) { c.Served++; c.Ledger++; c.Bill.Spent++ },
		"the bill has another request":           func(c *counts) { c.Bill.Requests++ },
		"the bill has none, as without a seal":   func(c *counts) { c.Bill = bill{Mode: "record", Verdict: "ok", Seal: "sealed"} },
		"nobody knows what became of one":        func(c *counts) { c.Bill.Unknown = 1 },
		"the mock answered where a purchase was": func(c *counts) { c.Bill.Mocked = 1 },
		"a recording answered":                   func(c *counts) { c.Bill.Replayed = 1 },
		"it was not sealed":                      func(c *counts) { c.Bill.Seal = "" },
		"it asked for another host":              func(c *counts) { c.Asked = []string{"pypi.org"} },
		"something was refused":                  func(c *counts) { c.Bill.Refused = 1 },
		"it would do offline, and was in record": func(c *counts) { c.Bill.Mode = "offline" },
		"the verdict of the bill is another":     func(c *counts) { c.Bill.Verdict = "refused" },
	} {
		c := good()
		spoil(&c)
		if c.check(goods) == nil {
			t.Errorf("%s, and nothing was said", name)
		}
	}
}

// TestTheTableNeedsBothUsers makes no table of what one user saw, or two otherwise.
func TestTheTableNeedsBothUsers(t *testing.T) {
	all := seen{}
	for _, c := range clients {
		all[c.name] = map[string]runs{}
		for _, user := range []string{"root", "an ordinary user"} {
			all[c.name][user] = runs{}
			for _, mode := range modes {
				all[c.name][user][mode.name] = counts{Codes: make([]string, goods), Served: mode.bought}
			}
		}
	}
	if _, err := tableOf(all); err != nil {
		t.Fatal(err)
	}
	one := all["curl"]["root"]
	for name, spoil := range map[string]func(){
		"no root":      func() { delete(all["curl"], "root") },
		"another root": func() { all["curl"]["root"] = runs{"offline": {}, "record": {}, "record again": {}, "replay": {}} },
		"no replay":    func() { all["curl"]["root"] = runs{"offline": {}, "record": {}, "record again": {}} },
		"no curl":      func() { delete(all, "curl") },
	} {
		curl := all["curl"]
		spoil()
		if table, err := tableOf(all); err == nil {
			t.Errorf("%s: %s", name, table)
		}
		all["curl"] = curl
		all["curl"]["root"] = one
	}
}
