package resolver

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// ttl is in seconds: a run is over before it matters, and nobody asks twice at once.
const ttl = 60

// payload is what we take of a datagram: RFC 9715 §3.
const payload = 1232

// badVersion is the upper part of BADVERS: RFC 6891 §9.
const badVersion = 1

// Answer is the reply to a message; nil where none is due. It has at most 512 bytes,
// which fit into every datagram.
func (r *Resolver) Answer(message []byte) []byte {
	var p dnsmessage.Parser
	asked, err := p.Start(message)
	if err != nil || asked.Response {
		return nil // not even a header, or an answer: two of us would never end
	}
	head := dnsmessage.Header{
		ID: asked.ID, OpCode: asked.OpCode, Response: true, Authoritative: true,
		RecursionDesired: asked.RecursionDesired, RecursionAvailable: true,
	}
	if asked.OpCode != 0 {
		return reply(head, dnsmessage.RCodeNotImplemented, nil, nil, nil)
	}
	question, opt, err := read(&p)
	if err != nil {
		return reply(head, dnsmessage.RCodeFormatError, nil, nil, nil)
	}
	if opt != nil && version(*opt) != 0 {
		return reply(head, dnsmessage.RCode(badVersion<<4), &question, nil, opt)
	}
	if question.Class != dnsmessage.ClassINET && question.Class != dnsmessage.ClassANY {
		return reply(head, dnsmessage.RCodeRefused, &question, nil, opt)
	}
	body, known := r.look(question)
	if !known {
		return reply(head, dnsmessage.RCodeNameError, &question, nil, opt)
	}
	return reply(head, dnsmessage.RCodeSuccess, &question, body, opt)
}

// read takes the one question of a message, and its OPT if it has one.
func read(p *dnsmessage.Parser) (question dnsmessage.Question, opt *dnsmessage.ResourceHeader, err error) {
	if question, err = p.Question(); err != nil {
		return question, nil, err
	}
	if _, err := p.Question(); !errors.Is(err, dnsmessage.ErrSectionDone) {
		return question, nil, errors.Join(err, errors.New("two questions"))
	}
	if err := p.SkipAllAnswers(); err != nil {
		return question, nil, err
	}
	if err := p.SkipAllAuthorities(); err != nil {
		return question, nil, err
	}
	for {
		h, err := p.AdditionalHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return question, opt, nil
		}
		if err != nil {
			return question, nil, err
		}
		if h.Type == dnsmessage.TypeOPT {
			if opt != nil { // RFC 6891 §6.1.1
				return question, nil, errors.New("two OPT records")
			}
			opt = &h
		}
		if err := p.SkipAdditional(); err != nil {
			return question, nil, err
		}
	}
}

// version is EDNS's: RFC 6891 §6.1.3.
func version(opt dnsmessage.ResourceHeader) byte { return byte(opt.TTL >> 16) } //nolint:gosec // one of its four bytes

// look finds what a question asks for. A name that is known may have nothing of a type.
func (r *Resolver) look(q dnsmessage.Question) (body dnsmessage.ResourceBody, known bool) {
	name := canonical(q.Name.String())
	if name == "" {
		return nil, true // the root exists
	}
	if addr, ok := backwards(name); ok {
		host, ok := r.reverse[addr]
		if !ok {
			return nil, false // an address, not a host that somebody looks for
		}
		if is(q.Type, dnsmessage.TypePTR) {
			if to, err := dnsmessage.NewName(host + "."); err == nil {
				return &dnsmessage.PTRResource{PTR: to}, true
			}
		}
		return nil, true
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		if q.Type == dnsmessage.TypeAAAA {
			return &dnsmessage.AAAAResource{AAAA: netip.IPv6Loopback().As16()}, true
		}
		return address(q.Type, netip.AddrFrom4([4]byte{127, 0, 0, 1})), true
	}
	if addr, ok := r.hosts[name]; ok {
		return address(q.Type, addr), true
	}
	if !arpa(name) {
		r.asked.add(name)
	}
	return nil, false
}

// address is the record of an address; nil where the type is another.
func address(t dnsmessage.Type, addr netip.Addr) dnsmessage.ResourceBody {
	switch {
	case addr.Is4() && is(t, dnsmessage.TypeA):
		return &dnsmessage.AResource{A: addr.As4()}
	case addr.Is6() && is(t, dnsmessage.TypeAAAA):
		return &dnsmessage.AAAAResource{AAAA: addr.As16()}
	}
	return nil
}

func is(asked, t dnsmessage.Type) bool { return asked == t || asked == dnsmessage.TypeALL }

// canonical is the form in which names are compared: RFC 4343.
func canonical(name string) string {
	low := []byte(strings.TrimSuffix(name, "."))
	for i, c := range low { // not strings.ToLower, which would read bytes as UTF-8
		if 'A' <= c && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	return string(low)
}

// arpa tells the names of addresses, whole ones and parts.
func arpa(name string) bool {
	return strings.HasSuffix(name, ".in-addr.arpa") || strings.HasSuffix(name, ".ip6.arpa")
}

// backwards is the address whose name this is: RFC 1035 §3.5, RFC 3596 §2.5.
func backwards(name string) (netip.Addr, bool) {
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		parts := strings.Split(rest, ".")
		if len(parts) != 4 {
			return netip.Addr{}, false
		}
		var a [4]byte
		for i, part := range parts {
			n, err := strconv.ParseUint(part, 10, 8)
			if err != nil {
				return netip.Addr{}, false
			}
			a[3-i] = byte(n)
		}
		return netip.AddrFrom4(a), true
	}
	rest, ok := strings.CutSuffix(name, ".ip6.arpa")
	if !ok || len(rest) != 63 {
		return netip.Addr{}, false
	}
	digits := make([]byte, 0, 32)
	for i := len(rest) - 1; i >= 0; i -= 2 {
		digits = append(digits, rest[i])
		if i > 0 && rest[i-1] != '.' {
			return netip.Addr{}, false
		}
	}
	var a [16]byte
	if _, err := hex.Decode(a[:], digits); err != nil {
		return netip.Addr{}, false
	}
	return netip.AddrFrom16(a), true
}

// reply packs a reply with at most one answer, and with an OPT if the question had one.
func reply(head dnsmessage.Header, code dnsmessage.RCode, question *dnsmessage.Question, body dnsmessage.ResourceBody, opt *dnsmessage.ResourceHeader) []byte {
	head.RCode = code & 0xf
	message := dnsmessage.Message{Header: head}
	if question != nil {
		message.Questions = []dnsmessage.Question{*question}
	}
	if body != nil {
		message.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   body,
		}}
	}
	if opt != nil {
		var h dnsmessage.ResourceHeader
		if err := h.SetEDNS0(payload, code, false); err != nil {
			return nil
		}
		message.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	}
	packed, err := message.Pack()
	if err != nil {
		return nil
	}
	return packed
}
