package process

import (
	"fmt"

	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/secret"
)

// Own are the variables that commands get by the names that they read themselves:
// those that were typed, then those that the exec around this process hands on, then
// the project's. Of those with one name the first counts. None holds a secret.
func (e Environ) Own(typed []string) (names.List, error) {
	_, values := e.secrets()
	find, _ := secret.NewFinder(values...) // which all can be searched for
	defer find.Wipe()
	const instead = "holds a secret of this project, and no command gets one: write {client_secret} for the one that the mock identity service takes"
	var own names.List
	for i, given := range typed {
		if holds(find, given) { // so no message may show it
			return nil, fmt.Errorf("--env number %d %s", i+1, instead)
		}
		v, err := names.Parse(given)
		if err == nil && own.Has(v.Name) {
			err = fmt.Errorf("%s is there twice", v.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("--env %s: %w", given, err)
		}
		own = append(own, v)
	}
	if holds(find, e.Getenv("HSHARNESS_EXEC_ENV")) { // typed by somebody: no exec hands one on
		return nil, fmt.Errorf("HSHARNESS_EXEC_ENV %s", instead)
	}
	handed, err := names.Handed(e.Getenv)
	if err != nil {
		return nil, err
	}
	file := names.FromMap(e.Project.Exec.Env)
	for _, v := range file {
		if holds(find, v.Text) {
			return nil, fmt.Errorf("%s: exec.env.%s %s", e.Project.File, v.Name, instead)
		}
	}
	return own.Over(handed).Over(file), nil
}
