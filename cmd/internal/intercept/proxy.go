package intercept

import (
	"bufio"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
)

const (
	httpPort, httpsPort = 80, 443
	// user is the name that stands before the secret in the proxy's URL.
	user = "hsharness"
)

// ServeHTTP answers what comes to the proxy.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close") // what follows may be meant for another
	if !p.admitted(r) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="hsharness"`)
		say(w, http.StatusProxyAuthRequired, "this proxy is for the command of one run, whose HTTPS_PROXY has a user name and a password: in modes that spend nobody else may use it")
		return
	}
	at, err := avalara.ReadAddress(r.URL.Host)
	connect := r.Method == http.MethodConnect
	switch {
	case r.URL.Host == "":
		say(w, http.StatusBadRequest, "this is a proxy: it has no pages of its own")
	case err != nil:
		say(w, http.StatusBadRequest, err.Error())
	case connect && (at.Port == 0 || r.ContentLength != 0):
		say(w, http.StatusBadRequest, "CONNECT takes HOST:PORT and no body")
	case connect && p.serves(at) && at.Port == httpsPort:
		p.answer(w)
	case connect && p.allow[at] != "":
		p.tunnel(w, at)
	default:
		p.refuse(w, at, connect)
	}
}

// admitted tells whether the caller may use the proxy. Where something can be spent it
// must be the command: one that shows the secret, or, for clients that can't show any, a
// process of this user where the system tells.
func (p *Proxy) admitted(r *http.Request) bool {
	if !p.buys {
		return true
	}
	// The header is that of another one for a proxy, and read in the same way.
	shown := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	name, password, ok := shown.BasicAuth()
	if ok && name == user && subtle.ConstantTimeCompare([]byte(password), []byte(p.secret)) == 1 {
		return true
	}
	return sameUser(r.RemoteAddr, p.at.Addr().String())
}

// refuse says that a host is not here, and why.
func (p *Proxy) refuse(w http.ResponseWriter, at avalara.Address, connect bool) {
	p.asked.note(at)
	why := fmt.Sprintf("is not here: let it through with --allow %s", at.Name)
	switch {
	case at.Loopback():
		why = "is on this machine, and asked without a proxy: keep it in NO_PROXY"
	case p.serves(at) && connect:
		why = "is a host of the service, which answers on port 443 alone"
	case p.serves(at):
		why = "is a host of the service, which answers by https alone"
	case at.IP.IsValid():
		why = "is an address, and only names can be let through, by --allow"
	case !connect:
		why = "is not here, and --allow lets https through alone; a server of your own is asked without a proxy if NO_PROXY names it"
	}
	say(w, http.StatusForbidden, fmt.Sprintf("%s %s", at, why))
}

// say answers one sentence.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "hsharness: "+text+"\n") // the client has gone when this fails
}

// answer gives a connection to the services, who speak TLS on it as the real hosts do.
func (p *Proxy) answer(w http.ResponseWriter) {
	conn, ok := p.take(w)
	if !ok {
		return
	}
	defer p.tunnels.drop(conn)
	if connected(conn) == nil {
		p.answered.give(conn)
	}
}

// established is what a client gets whose connection is made.
const established = "HTTP/1.1 200 Connection established\r\n\r\n"

// slow is how long a client may take for what has to come first.
const slow = 10 * time.Second

func connected(conn net.Conn) error {
	_ = conn.SetWriteDeadline(time.Now().Add(slow)) // it fails where the write will
	_, err := io.WriteString(conn, established)
	_ = conn.SetWriteDeadline(time.Time{})
	return err
}

// take takes a client's connection over from the server, where there is room for one more.
func (p *Proxy) take(w http.ResponseWriter) (*taken, bool) {
	if !p.tunnels.room() {
		say(w, http.StatusServiceUnavailable, "there are too many connections already: ask again")
		return nil, false
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.tunnels.leave()
		say(w, http.StatusInternalServerError, err.Error())
		return nil, false
	}
	_ = conn.SetDeadline(time.Time{}) // the server's limits were for headers
	t := &taken{Conn: conn, reader: early(buffered.Reader, conn), over: make(chan struct{})}
	if !p.tunnels.hold(t) {
		return nil, false
	}
	return t, true
}

// early reads first what a client sent before it knew that it is connected.
func early(buffered *bufio.Reader, conn net.Conn) io.Reader {
	sent := make([]byte, buffered.Buffered())
	_, _ = io.ReadFull(buffered, sent) // it is there
	return io.MultiReader(newBytes(sent), conn)
}
