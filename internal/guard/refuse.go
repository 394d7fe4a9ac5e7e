package guard

import (
	"fmt"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
)

// OtherHostError says that a request was for a host that serves nothing of what is known.
type OtherHostError struct{ avalara.Other }

func (e *OtherHostError) Error() string {
	return fmt.Sprintf("%s is built into the vendor's SDKs and serves no classification; ask %s instead", e.Name, e.Instead)
}

// Refuse answers a request that comes to none of the APIs and that a rule forbids: by
// the verdict [Policy], in the counts, the log and what the run ends with, as if an API
// had been asked. Env is whose host was asked, empty for none's.
func (g *Guard) Refuse(w http.ResponseWriter, r *http.Request, env avalara.Environment, why error) {
	x := &exchange{handler: &handler{guard: g, env: env}, r: r, start: time.Now()}
	refusal := &Refusal{Verdict: Policy, Err: why}
	x.refused(refusal)
	x.count()
	defer x.report()
	refusal.Write(w, g.cfg.Advise)
}
