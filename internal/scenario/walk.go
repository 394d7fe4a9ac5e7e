package scenario

// all yields the steps, those of finally last.
func (s *Scenario) all() func(func(*Step) bool) {
	return func(yield func(*Step) bool) {
		for _, list := range [][]*Step{s.Steps, s.Finally} {
			for _, st := range list {
				if !yield(st) {
					return
				}
			}
		}
	}
}

// exprs yields every expression of the file.
func (s *Scenario) exprs() func(func(*Expr) bool) {
	return func(yield func(*Expr) bool) {
		for st := range s.all() {
			for _, t := range st.templates() {
				if t == nil {
					continue
				}
				for _, p := range t.parts {
					if p.expr != nil && !yield(p.expr) {
						return
					}
				}
			}
			for _, e := range st.Expect.Assert {
				if !yield(e) {
					return
				}
			}
			for _, c := range st.Capture {
				if !yield(c.Expr) {
					return
				}
			}
		}
	}
}

// templates lists every template of the step; some may be nil.
func (st *Step) templates() []*Template {
	var out []*Template
	add := func(t *Template) { out = append(out, t) }
	if t := st.Token; t != nil {
		out = append(out, t.Scope, t.Client.ID, t.Client.Secret)
	}
	if r := st.Request; r != nil {
		out = append(out, r.Path, r.Auth.Token)
		for _, h := range r.Headers {
			add(h.Value)
		}
		r.Body.texts(add)
	}
	if st.Exec != nil {
		out = append(out, st.Exec.Command...)
	}
	for _, h := range st.Expect.Headers {
		h.Value.texts(add)
	}
	st.Expect.JSON.texts(add)
	if st.Score != nil {
		out = append(out, st.Score.Want, st.Score.Country)
	}
	return out
}
