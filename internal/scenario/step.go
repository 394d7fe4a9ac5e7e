package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/pattern"
)

// stepID is what a step may be called.
var stepID = pattern.New(`^[A-Za-z][A-Za-z0-9_-]*$`)

// actions are the keys that say what a step does. The last goes with the
// others, or stands alone.
var actions = []string{"token", "request", "exec", "clock"}

// actionKeys lists the keys that go with each action.
var actionKeys = map[string][]string{
	"token":   {"id", "environment", "faults", "retry", "expect", "capture"},
	"request": {"id", "environment", "api", "headers", "body", "auth", "faults", "retry", "expect", "score", "capture"},
	"exec":    {"id", "faults", "expect"},
	"clock":   {"id"},
}

// Label is the step's id, or its number where it has none: "step 3".
func (s *Step) Label() string {
	switch {
	case s.ID != "":
		return s.ID
	case s.Final:
		return "finally step " + strconv.Itoa(s.Index+1)
	default:
		return "step " + strconv.Itoa(s.Index+1)
	}
}

// called is the step's name behind the word step: its id, "2" or "finally 1".
func (s *Step) called() string {
	if s.ID != "" {
		return s.ID
	}
	return strings.ReplaceAll(s.Label(), "step ", "")
}

// steps reads one list of steps.
func (d *decoder) steps(s *Scenario, items []*node, ids map[string]Pos, final bool) []*Step {
	var out []*Step
	for i, item := range items {
		before := len(d.errs)
		f := d.fields(item, "step")
		if f == nil {
			continue
		}
		complete := len(d.errs) == before
		st := &Step{Index: i, Final: final, Pos: item.pos, Environment: s.Environment}
		if e, ok := f["id"]; ok {
			st.ID = d.id(e, ids)
		}
		if e, ok := f["clock"]; ok {
			st.Clock, st.ClockPos = d.duration(e.value, "clock"), e.pos
			if err := d.clock.Advance(time.Duration(st.Clock)); err != nil && e.value != nil {
				d.errorf(e.value.pos, "clock: %s", err)
			}
		}
		if e, ok := f["environment"]; ok {
			st.Environment, st.EnvironmentPos = d.environment(e), e.pos
		}
		if action := d.action(st, f); action == "" && complete {
			d.errorf(item.pos, "a step needs one of token, request, exec or clock")
		}
		d.outcome(st, f)
		d.scope.capture(st.Capture)
		out = append(out, st)
	}
	return out
}

// id reads a step's id, which no other step has.
func (d *decoder) id(e entry, ids map[string]Pos) string {
	id := d.text(e.value, "id")
	if id == "" {
		return ""
	}
	if !stepID.MatchString(id) {
		d.errorf(e.value.pos, "id %q: use a letter, then letters, digits, _ and -", shorten(id))
	}
	if first, ok := ids[id]; ok {
		d.errorf(e.value.pos, "duplicate step id %q: line %d has it already", id, first.Line)
		return id
	}
	ids[id] = e.value.pos
	return id
}

// action reads what the step does, and reports keys that do not go with it. It
// returns the key that says so, or "".
func (d *decoder) action(st *Step, f map[string]entry) string {
	action := ""
	for _, key := range actions[:3] {
		e, ok := f[key]
		switch {
		case !ok:
		case action != "":
			d.errorf(e.pos, "a step does one thing, and this one has %s already: make two steps", action)
		default:
			action = key
		}
	}
	switch action {
	case "token":
		st.Token = d.token(f["token"])
	case "request":
		st.Request = d.request(f)
	case "exec":
		st.Exec = d.exec(f["exec"])
	default:
		if _, ok := f["clock"]; !ok {
			return ""
		}
		action = "clock"
	}
	for _, key := range keys["step"] {
		e, ok := f[key]
		if ok && !slices.Contains(actions, key) && !slices.Contains(actionKeys[action], key) {
			d.errorf(e.pos, "%s does not go with %s", key, strings.Replace(action, "clock", "a step that only moves the clock", 1))
		}
	}
	return action
}
