package process

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSecretArguments(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"--client=my-id:my-secret:a,b": "my-secret:a,b", "postgres://me:pass@host/db": "pass", "--ledger=postgresql://me:p@ss@host": "p@ss",
		"postgres://me@host/db?sslmode=x&password=pass": "sslmode=x&password=pass", "postgres://me:one@host/db?password=two": "one@host/db?password=two",
		"postgres:///me:pass@host/db": "pass", "postgres://me:pass@host/db?": "pass@host/db?", "postgres://host/db?p%61ssword=pass": "p%61ssword=pass", "postgres://host/db#password=pass": "password=pass",
		"postgres://me:12/pass@host/db": "12/pass", "--ledger=postgres://me:/pass@host/db": "/pass",
		"http://host:80/a": "", "http://host/a@b": "", "sqlite:a:b@c": "", "plain": "", "postgres://host": "", "postgres://me@host:5432/db": "", "postgres://": "",
	} {
		from, to := secretArgument(arg, false)
		assert.Equal(t, want, arg[from:to], arg)
	}
	from, to := secretArgument("my-id:my-secret", true)
	assert.Equal(t, "my-secret", "my-id:my-secret"[from:to])
	from, to = secretArgument("my-id", true)
	assert.Equal(t, from, to)
}
