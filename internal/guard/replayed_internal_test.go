package guard

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBodyIsReadWhole(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "x", "four", strings.Repeat("long ", 100), strings.Repeat("longer than is read at first ", 2000)} {
		for _, said := range []int64{-1, 0, 1, 4, int64(len(body)), int64(len(body)) + 1, firstRead, firstRead + 1} {
			if said > firstRead && int64(len(body)) < firstRead {
				continue // a server refuses it
			}
			for _, in := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body)), iotest.DataErrReader(strings.NewReader(body))} {
				got, err := readBody(&http.Request{Body: io.NopCloser(in), ContentLength: said})
				require.NoError(t, err)
				require.Equal(t, body, string(got), "%d bytes said", said)
			}
		}
	}
	for _, none := range []io.ReadCloser{nil, http.NoBody} {
		got, err := readBody(&http.Request{Body: none})
		require.NoError(t, err)
		assert.Empty(t, got)
	}
	broken := errors.New("hung up")
	_, err := readBody(&http.Request{Body: io.NopCloser(iotest.ErrReader(broken)), ContentLength: 4})
	require.ErrorIs(t, err, broken)
}

// TestAnswersBelongToWhoGetsThem: a recording is in memory, and answers many.
func TestAnswersBelongToWhoGetsThem(t *testing.T) {
	t.Parallel()
	kept := http.Header{"X-Two": {"1", "2"}, "x-two": {"3"}, "X-One": {"1"}, "Content-Length": {"6"}, "Link": {"<https://elsewhere.test/>"}}
	body := []byte("answer")
	for range 2 {
		rec := &recorder{}
		(&answer{status: 203, header: handedOver(kept, nil), body: body}).write(rec)
		resp := rec.response(&http.Request{})
		assert.Equal(t, "203 Non-Authoritative Information", resp.Status)
		assert.EqualValues(t, len(body), resp.ContentLength)
		assert.ElementsMatch(t, []string{"1", "2", "3"}, resp.Header["X-Two"], "in either order: a map has none")
		assert.Equal(t, []string{"1"}, resp.Header["X-One"])
		assert.Len(t, resp.Header, 2)
		for name := range resp.Header {
			resp.Header[name][0] = "changed"
			resp.Header[name] = append(resp.Header[name], "more")
		}
		resp.Header.Add("X-One", "more")
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "answer", string(got))
		copy(got, "broken")
	}
	assert.Equal(t, http.Header{"X-Two": {"1", "2"}, "x-two": {"3"}, "X-One": {"1"}, "Content-Length": {"6"}, "Link": {"<https://elsewhere.test/>"}}, kept)
	assert.Equal(t, "answer", string(body))
}

// TestPricesOfKnownPaths: what is known of a path is as what is found out, request by
// request, and does not grow with the paths.
func TestPricesOfKnownPaths(t *testing.T) {
	t.Parallel()
	g := &Guard{prices: prices{lists: []Operations{BuiltinOperations(), {{Match: "POST /hscode/hints", Cost: 3}}}}}
	ask := func(method, path, body string) (Price, error) {
		return g.price(&http.Request{Method: method, URL: &url.URL{Path: path}}, []byte(body))
	}
	for range 3 {
		for items, want := range map[string]int{"1": 1, "1,2,3": 3, "": 1} {
			price, err := ask("POST", "/hscode/classify_from_hs6", `{"items":[`+items+`]}`)
			require.NoError(t, err)
			assert.Equal(t, want, price.Units)
		}
		_, err := ask("POST", "/hscode/classify_from_hs6", `{}`)
		require.ErrorAs(t, err, new(*UncountableError))
		price, err := ask("POST", "/hscode/hints", "")
		require.NoError(t, err)
		assert.Equal(t, 3, price.Units, "the dearest")
		price, err = ask("GET", "/api/v2/companies/1/classifications/hs/2", "")
		require.NoError(t, err)
		assert.Zero(t, price.Units)
		var unknown *UnknownOperationError
		_, err = ask("DELETE", "/api/v2/companies/1/classifications/hs/2", "")
		require.ErrorAs(t, err, &unknown, "of one path each method has its own price")
		_, err = ask("GET", "/weather", "")
		require.ErrorAs(t, err, &unknown)
		assert.Nil(t, unknown.Like)
		_, err = ask("POST", "/hscode/Classify_From_HS6", `{}`)
		require.ErrorAs(t, err, &unknown)
		assert.NotNil(t, unknown.Like)
	}
	for i := range 3 * mostRuled {
		_, err := ask("GET", fmt.Sprintf("/api/v2/companies/1/classifications/hs/%d", i), "")
		require.NoError(t, err)
		require.LessOrEqual(t, len(g.prices.known), mostRuled)
	}
	before := len(g.prices.known)
	_, err := ask("GET", "/api/v2/companies/1/classifications/hs/"+strings.Repeat("9", longestRuled), "")
	require.NoError(t, err)
	assert.Len(t, g.prices.known, before)
	_, err = ask(strings.Repeat("G", longestRuled), "/api/v2", "")
	require.Error(t, err)
	assert.Len(t, g.prices.known, before)
}

// What is known of a path is not the request that it came in: a path is a part of a line
// that may have 16 KB.
func TestPricesKeepNoRequests(t *testing.T) {
	p := prices{lists: []Operations{BuiltinOperations()}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 100 {
		line := fmt.Sprintf("GET /api/v2/companies/1/classifications/hs/%02d", i) + strings.Repeat("?", 1<<20)
		p.of(line[:3], line[4:46])
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(20<<20), "bytes")
	assert.Len(t, p.known, 100)
}
