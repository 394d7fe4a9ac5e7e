package process

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoClientAsksAProxyForLoopback(t *testing.T) {
	t.Parallel()
	const names = "127.0.0.1,localhost,::1"
	for _, row := range []struct{ environ, want []string }{
		{[]string{"A=1", "NO_PROXY=x"}, []string{"A=1", "NO_PROXY=x"}},
		{[]string{"A=1", "http_proxy="}, []string{"A=1", "http_proxy="}},
		{[]string{"http_proxy=http://p:1", "A=1"}, []string{"http_proxy=http://p:1", "A=1", "NO_PROXY=" + names, "no_proxy=" + names}},
		{[]string{"ALL_PROXY=p", "no_proxy=.x, y"}, []string{"ALL_PROXY=p", "NO_PROXY=.x,y," + names, "no_proxy=.x,y," + names}},
		{[]string{"HTTPS_PROXY=p", "NO_PROXY=" + names, "no_proxy="}, []string{"HTTPS_PROXY=p", "NO_PROXY=" + names, "no_proxy=" + names}},
		{[]string{"HTTPS_PROXY=p", "NO_PROXY=*"}, []string{"HTTPS_PROXY=p", "NO_PROXY=*"}},
	} {
		assert.Equal(t, row.want, direct(row.environ))
	}
}
