package process

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSecretArguments(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"--client=my-id:my-secret:a,b": "my-secret:a,b", "postgres://me:pass@host/db": "pass", "--ledger=postgresql://me:p@ss@host": "p@ss",
		"postgres://me@host/db?sslmode=x&password=pass": "pass", "http://host:80/a@b": "", "http://host/a:b@c": "", "sqlite:a:b@c": "", "plain": "", "postgres://host": "",
	} {
		from, to := secretArgument(arg, false)
		assert.Equal(t, want, arg[from:to], arg)
	}
	from, to := secretArgument("my-id:my-secret", true)
	assert.Equal(t, "my-secret", "my-id:my-secret"[from:to])
	from, to = secretArgument("my-id", true)
	assert.Equal(t, from, to)
}
