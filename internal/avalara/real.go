package avalara

// Other is a host that the vendor's SDKs have built in and that serves nothing of what
// is known of the classification service: a program that asks it was led there by an
// SDK, and wants another.
type Other struct {
	Name string
	// Instead is the host that serves what the SDKs look for there.
	Instead string
}

// others: constants of the SDKs' sources (their "qa" identity hosts, and the base URLs
// of an API that they share with other products), read at their HEAD of 2026-11;
// verified. What answers there is not: nothing public says that it classifies.
var others = []Other{
	{"api.avalara.com", "hscode.api.avalara.com"},
	{"api.sbx.avalara.com", "hscode.api.sbx.avalara.com"},
	{"ai-awsfqa.avlr.sh", "ai-sbx.avlr.sh"},
	{"ai-awscqa.avlr.sh", "ai-sbx.avlr.sh"},
}

// OtherHost finds a host that is one of the SDKs' others.
func (a Address) OtherHost() (Other, bool) {
	for _, o := range others {
		if o.Name == a.Name {
			return o, true
		}
	}
	return Other{}, false
}

// Identity tells whether the address is an environment's identity host.
func (a Address) Identity() bool {
	env, ok := a.Environment()
	return ok && a.Name == IdentityHost(env)
}

// API tells which API host the address is. ok is false for every other one.
func (a Address) API() (api API, ok bool) {
	for _, h := range hosts {
		if h.Name != "" && h.Name == a.Name {
			return h.API, true
		}
	}
	return "", false
}

// RealHosts names every host that a program may have built in: the identity and API
// hosts of both environments, sandbox first, and the SDKs' others.
func RealHosts() []string {
	var names []string
	for _, env := range Environments() {
		names = append(names, IdentityHost(env))
		for _, api := range APIs() {
			if name := HostOf(env, api).Name; name != "" {
				names = append(names, name)
			}
		}
	}
	for _, o := range others {
		names = append(names, o.Name)
	}
	return names
}
