package scenario

import (
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/pattern"
)

// headerName is RFC 9110's token.
var headerName = pattern.New("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

// methods are those that a request may have.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// token reads a token step.
func (d *decoder) token(e entry) *Token {
	t := &Token{Pos: e.pos, Client: Client{Kind: ClientDefault}}
	f := d.fields(e.value, "token")
	if e, ok := f["scope"]; ok {
		t.Scope = d.template(e.value, 0, "scope")
	}
	c, ok := f["client"]
	if !ok {
		return t
	}
	t.Client.Pos = c.pos
	if c.value == nil || c.value.kind != Map {
		t.Client.Kind = ClientKind(d.oneOf(c.value, "client", string(ClientDefault), string(ClientUnknown), string(ClientWrongSecret)))
		return t
	}
	t.Client.Kind = ClientGiven
	fields := d.fields(c.value, "client")
	for _, key := range keys["client"] {
		if _, ok := fields[key]; !ok {
			d.errorf(c.pos, "client: missing key %q", key)
		}
	}
	if e, ok := fields["id"]; ok {
		t.Client.ID = d.template(e.value, 0, "client id")
	}
	if e, ok := fields["secret"]; ok {
		t.Client.Secret = d.template(e.value, 0, "client secret")
	}
	return t
}

// request reads a request step.
func (d *decoder) request(f map[string]entry) *Request {
	e := f["request"]
	r := &Request{Pos: e.pos, API: avalara.Current, Auth: Auth{Kind: AuthDefault}}
	d.requestLine(r, e.value)
	if e, ok := f["api"]; ok {
		var names []string
		for _, api := range avalara.APIs() {
			names = append(names, string(api))
		}
		r.API = avalara.API(d.oneOf(e.value, "api", names...))
	}
	if e, ok := f["headers"]; ok && d.is(e.value, Map, "headers") {
		for _, h := range d.headers(e.value) {
			r.Headers = append(r.Headers, Header{h.key, h.pos, d.template(h.value, 0, "a header")})
		}
	}
	if e, ok := f["body"]; ok {
		r.Body = d.body(e.value)
	}
	if e, ok := f["auth"]; ok {
		r.Auth = d.auth(e)
	}
	return r
}

// requestLine reads "POST /path".
func (d *decoder) requestLine(r *Request, n *node) {
	if !d.is(n, String, "request") {
		return
	}
	method, path, ok := strings.Cut(n.text, " ")
	if !ok {
		d.errorf(n.pos, `request must be a method and a path, such as "POST /hscode/classify"`)
		return
	}
	if !slices.Contains(methods, method) {
		guess := strings.ToUpper(method)
		if !slices.Contains(methods, guess) {
			guess = d.nearest(method, methods)
		}
		d.suggest(n.pos, guess, "unknown method %q", shorten(method))
	}
	from := len(n.text) - len(strings.TrimLeft(path, " "))
	if path = n.text[from:]; !strings.HasPrefix(path, "/") {
		d.errorf(d.at(n, from), "the path must start with a slash: the host is chosen by environment and api")
		return
	}
	if pieces, _, err := split(path); err == nil {
		for _, p := range pieces {
			if at := strings.IndexAny(path[p.from:p.to], " \t\n#"); !p.expr && at >= 0 {
				d.errorf(d.at(n, from+p.from+at), "a path must not hold spaces or #")
				return
			}
		}
	}
	r.Method, r.Path = method, d.template(n, from, "request")
}

// headers returns the entries of a map of headers, each name once whatever its
// case.
func (d *decoder) headers(n *node) []entry {
	seen := make(map[string]bool)
	var out []entry
	for _, e := range n.entries {
		lower := strings.ToLower(e.key)
		switch {
		case !headerName.MatchString(e.key):
			d.errorf(e.pos, "%q is no header name", shorten(e.key))
		case seen[lower]:
			d.errorf(e.pos, "duplicate header %q: case makes no difference", e.key)
		default:
			out = append(out, e)
		}
		seen[lower] = true
	}
	return out
}

// auth reads the choice of token.
func (d *decoder) auth(e entry) Auth {
	a := Auth{Pos: e.pos}
	if e.value == nil || e.value.kind != Map {
		a.Kind = AuthKind(d.oneOf(e.value, "auth", string(AuthDefault), string(AuthNone), string(AuthExpired), string(AuthBadSignature), string(AuthWrongScope)))
		return a
	}
	a.Kind = AuthToken
	before := len(d.errs)
	t, ok := d.fields(e.value, "auth")["token"]
	if !ok {
		if len(d.errs) == before {
			d.errorf(e.value.pos, `auth: missing key "token"`)
		}
		return a
	}
	a.Token = d.template(t.value, 0, "auth token")
	return a
}

// exec reads an exec step.
func (d *decoder) exec(e entry) *Exec {
	x := &Exec{Pos: e.pos}
	before := len(d.errs)
	f := d.fields(e.value, "exec")
	if c, ok := f["command"]; ok {
		for _, word := range d.list(c.value, "command") {
			x.Command = append(x.Command, d.template(word, 0, "a word of a command"))
		}
	}
	if len(x.Command) == 0 && len(d.errs) == before {
		d.errorf(e.pos, "exec needs a command, such as [go, test, ./...]")
	}
	if t, ok := f["timeout"]; ok {
		x.Timeout = d.limit(t.value, "timeout")
	}
	return x
}
