package guard

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/secret"
)

// This file makes an answer of the sandbox fit to be handed over and kept: it leads
// nobody past the guard, it has no checksum of bytes that it no longer has, and
// none of the guard's own tokens.

// digests are the headers that speak of the exact bytes of a body. A recording
// keeps what a body says, not each of its bytes, so they are dropped in every
// mode.
var digests = []string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Etag", "X-Goog-Hash", "Signature", "Signature-Input"}

// elsewhere are the headers that send a client to another address by their nature.
var elsewhere = []string{"Alt-Svc", "Strict-Transport-Security", "Report-To", "Reporting-Endpoints", "Nel", "Clear-Site-Data"}

// leadWords are the words in the names of headers whose value a client may follow.
var leadWords = []string{"location", "link", "refresh", "uri", "url", "href", "redirect", "sourcemap", "asyncoperation", "callback"}

// words are the parts of a header's name, in lower case. Servers take an
// underscore for a hyphen, and some of them whatever is neither letter nor digit.
func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
}

// hasWord tells whether one of the words of a name is in a list.
func hasWord(name string, of []string) bool {
	if strings.ContainsFunc(name, func(c rune) bool { return c >= utf8.RuneSelf }) { // some are ASCII in lower case
		return slices.ContainsFunc(words(name), func(w string) bool { return slices.Contains(of, w) })
	}
	for i := 0; i < len(name); i++ {
		from := i
		for i < len(name) && alphanumeric(name[i]) {
			i++
		}
		if from < i && slices.ContainsFunc(of, func(w string) bool { return strings.EqualFold(w, name[from:i]) }) {
			return true
		}
	}
	return false
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// handedOver is the header of an answer of one API as clients may have it. own are
// the addresses of the API: what points there is made relative, so that it leads to
// wherever the client asked; what points elsewhere is dropped. It shares the values that
// stay as they are.
func handedOver(header http.Header, own []avalara.Address) http.Header {
	out := make(http.Header, len(header))
	for name, values := range header {
		name = http.CanonicalHeaderKey(name)
		switch {
		case slices.Contains(digests, name), strings.HasPrefix(name, "X-Amz-Checksum"), slices.Contains(elsewhere, name):
		case hasWord(name, leadWords):
			for _, v := range values {
				if v, ok := relative(name, v, own); ok {
					out[name] = append(out[name], v)
				}
			}
		case out[name] == nil:
			out[name] = slices.Clip(values)
		default: // in another spelling
			out[name] = append(out[name], values...)
		}
	}
	return out
}

var (
	linkTarget = pattern.New(`<[^>]*>`)
	refreshURL = pattern.New(`(?i)^\s*[0-9.]*\s*[;,]?\s*(?:url\s*=)?\s*`)
)

// relative makes the addresses in a header's value relative, or says that it leads
// past the guard.
func relative(name, value string, own []avalara.Address) (string, bool) {
	switch {
	case slices.Contains(words(name), "link"):
		ok := linkTarget.MatchString(value)
		value = linkTarget.Regexp().ReplaceAllStringFunc(value, func(target string) string {
			local, is := relativeURL(strings.Trim(target, "<>"), own)
			ok = ok && is
			return "<" + local + ">"
		})
		return value, ok
	case name == "Refresh":
		head := refreshURL.FindString(value)
		local, ok := relativeURL(strings.Trim(value[len(head):], `"' `), own)
		return head + local, ok
	}
	return relativeURL(value, own)
}

// relativeURL is a URL without its host, if that is one of ours or none.
func relativeURL(text string, own []avalara.Address) (string, bool) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || strings.ContainsAny(text, "\\\t\r\n") {
		return "", false
	}
	if u.Scheme == "" && u.Host == "" && u.User == nil {
		return text, !strings.HasPrefix(text, "//")
	}
	at, err := avalara.URLAddress(u)
	if err != nil || !slices.Contains(own, at) {
		return "", false
	}
	u.Scheme, u.Host, u.User = "", "", nil
	local := u.String()
	if !strings.HasPrefix(local, "/") {
		local = "/" + local
	}
	return local, !strings.HasPrefix(local, "//")
}

// addresses are those of the API that a handler is for: the service's own, and the
// one that the run asks.
func (f *handler) addresses() []avalara.Address {
	bases := []string{"https://" + avalara.HostOf(f.env, f.api).Name, "http://" + avalara.HostOf(f.env, f.api).Name}
	if p := f.guard.cfg.Purchase; p != nil {
		bases = append(bases, p.buyer.upstream.APIs[f.api])
	}
	var out []avalara.Address
	for _, base := range bases {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" {
			continue
		}
		if at, err := avalara.URLAddress(u); err == nil {
			out = append(out, at)
		}
	}
	return out
}

// What can't be taken out of an answer must not leave the guard in it. An answer
// with the secret is kept in quarantine, where somebody may look at it.
var (
	errEchoed       = errors.New("the answer holds the real access token, packed in a way that it can't be taken out of, so it is not handed over or recorded")
	errEchoedSecret = errors.New("the answer holds environments.sandbox.client_secret, packed in a way that it can't be taken out of, so it is not handed over")
)

// What stands for the real token and the account's secret in an answer.
const (
	tokenName  = "access_token"
	secretName = "client_secret"
)

// masked takes the real tokens and the secret out of an answer: out of its body
// and its headers. The answer is nil where it must not be kept either.
func masked(a *answer, hidden *secret.Finder) (*answer, error) {
	if hidden == nil {
		return a, nil
	}
	out := *a
	out.body, _ = hidden.Redact(a.body)
	left := hidden.Names(out.body)
	if slices.Contains(left, tokenName) {
		return nil, errEchoed
	}
	out.header = make(http.Header, len(a.header))
	for name, values := range a.header {
		if hidden.Has([]byte(strings.ToLower(name))) { // net/http changes the case of names
			continue
		}
		for _, v := range values {
			clean, _ := hidden.Redact([]byte(v))
			if hidden.Has(clean) {
				clean = []byte(hidden.Mask(v))
			}
			out.header[name] = append(out.header[name], string(clean))
		}
	}
	if slices.Contains(left, secretName) {
		return &out, errEchoedSecret
	}
	return &out, nil
}

// maskedError is an error whose text may repeat what a service sent.
type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string { return e.text }
func (e *maskedError) Unwrap() error { return e.err }

// maskError takes the real tokens and the secret out of the text of an error: that
// of an answer which is no HTTP quotes it.
func maskError(err error, hidden *secret.Finder) error {
	if err == nil || hidden == nil || !hidden.Has([]byte(err.Error())) {
		return err
	}
	return &maskedError{hidden.Mask(err.Error()), err}
}
