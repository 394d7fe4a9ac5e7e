package process

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoClientAsksAProxyForLoopback(t *testing.T) {
	t.Parallel()
	const names = "127.0.0.1,localhost,::1"
	for _, row := range []struct{ environ, want []string }{
		{[]string{"A=1"}, []string{"A=1", "NO_PROXY=" + names, "no_proxy=" + names}},
		{[]string{"A=1", "NO_PROXY=x"}, []string{"A=1", "NO_PROXY=x," + names, "no_proxy=x," + names}},
		{[]string{"http_proxy=http://p:1", "A=1"}, []string{"http_proxy=http://p:1", "A=1", "NO_PROXY=" + names, "no_proxy=" + names}},
		{[]string{"no_proxy=.x, y"}, []string{"NO_PROXY=.x,y," + names, "no_proxy=.x,y," + names}},
		{[]string{"NO_PROXY=a", "no_proxy=b"}, []string{"NO_PROXY=a," + names, "no_proxy=b," + names}},
		{[]string{"NO_PROXY=" + names, "no_proxy="}, []string{"NO_PROXY=" + names, "no_proxy=" + names}},
		{[]string{"NO_PROXY=*"}, []string{"NO_PROXY=*", "no_proxy=*"}},
		{[]string{"NO_PROXY=*,x"}, []string{"NO_PROXY=*,x," + names, "no_proxy=*,x," + names}},
	} {
		assert.Equal(t, row.want, direct(row.environ))
	}
}
