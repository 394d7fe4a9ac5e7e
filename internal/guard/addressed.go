package guard

import (
	"fmt"
	"net/http"

	"github.com/hsharness/hsharness/internal/avalara"
)

// addressed refuses a request that names a host which this handler does not answer
// for: one that was meant for production must not be answered, let alone bought,
// by the sandbox. Requests of this process, which come over no connection, may
// name any.
func (f *handler) addressed(r *http.Request) *Refusal {
	if r.RequestURI == "" {
		return nil
	}
	err := f.misdirected(r)
	if err == nil {
		return nil
	}
	return &Refusal{Verdict: Policy, Err: err}
}

func (f *handler) misdirected(r *http.Request) error {
	if r.Method == http.MethodConnect {
		return fmt.Errorf("the guard is no proxy: it does not connect to %+q", r.RequestURI)
	}
	for _, host := range []string{r.URL.Host, r.Host} {
		if host == "" {
			continue
		}
		at, err := avalara.ReadAddress(host)
		if err != nil {
			return err
		}
		env, real := at.Environment()
		switch {
		case real && env == avalara.Production && f.env != env:
			return &ProductionError{Host: at.Name}
		case real && env != f.env:
			return fmt.Errorf("%s is of the %s, and this address answers for %s", at.Name, env, f.env)
		case !real && host == r.URL.Host && !at.Loopback():
			return fmt.Errorf("the guard is no proxy: it answers for %s alone, and not for %s", f.env, at.Name)
		}
	}
	return nil
}
