package realurl

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
)

// answer has h answer r as if it had come over a connection.
func answer(h http.Handler, r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	in := r.Clone(r.Context())
	// A header may have been set by a name in any letters; a server reads all of them alike.
	in.Header = make(http.Header, len(r.Header))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		as := http.CanonicalHeaderKey(name)
		in.Header[as] = append(in.Header[as], r.Header[name]...)
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	defer func() { _ = in.Body.Close() }()
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	// A server sees path and query only; the host is in Host.
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if in.URL.Path == "" {
		in.URL.Path = "/"
	}
	in.RequestURI = in.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1

	aborted := serve(h, rec, in)
	if aborted && !rec.Flushed && rec.Body.Len() == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	resp := rec.Result()
	resp.Request = r
	switch {
	case resp.Header.Get("Transfer-Encoding") != "":
		resp.Header.Del("Transfer-Encoding")
		resp.TransferEncoding = []string{"chunked"}
	case resp.Header.Get("Content-Length") == "":
		resp.ContentLength = int64(rec.Body.Len())
		resp.Header.Set("Content-Length", strconv.Itoa(rec.Body.Len()))
	}
	if aborted {
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, cut{}))
	}
	if r.Method == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp, nil
}

// serve tells whether h gave the connection up. What it had written until then
// is in w, as it would be on the wire.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (aborted bool) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			aborted = true
		default:
			panic(v)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// cut is the end of a body whose connection was closed too early.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
