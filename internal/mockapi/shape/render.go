package shape

import (
	"crypto/sha256"
	"encoding/binary"
	"net/url"
	"strings"
	"time"
)

// Match is a code that was found.
type Match struct {
	Code       string // digits alone
	Title      string
	Confidence float64
}

// Ask is a request as a template sees it.
type Ask struct {
	// Body is the request's.
	Body  Value
	Query url.Values
	// Language is the first that is asked for, such as de, and Country the destination.
	Language, Country string
	// Found are the codes, best first.
	Found []Match
	// Items are those of a batch, each with what was found for it in Found and the item
	// as Body; ItemsAt is the pointer of their list, with /* at its end.
	Items   []Ask
	ItemsAt string
	// Refused is the item for which the request is refused, nil for none.
	Refused *Ask
	Now     time.Time
	// Serial is the number of the answer; two answers of one server have two.
	Serial uint64
}

// Reply is an answer.
type Reply struct {
	Status  int
	Headers map[string]string
	// Body is nil for none.
	Body []byte
}

// Render makes the answer for a case; ok is false where none was learned. Where goods
// can't be classified and no recording shows what comes then, it is the shape of the
// answer with codes, without them.
func (op *Operation) Render(when string, ask Ask) (rep Reply, ok bool) {
	i := op.answer(when)
	if i < 0 && when == WhenNothing {
		i = op.answer(WhenFound)
	}
	if i < 0 {
		return Reply{}, false
	}
	c := &scene{root: &ask, item: &ask, dice: &dice{}}
	if ask.Refused != nil {
		c.item, c.inItem = ask.Refused, true
	}
	rep = Reply{Status: op.Answers[i].Status, Headers: map[string]string{}}
	if body := op.compiled[i].body; body != nil {
		v, there := body.render(c)
		if !there {
			v = Value{Kind: Null}
		}
		rep.Body = v.Append(nil)
	}
	if headers := op.compiled[i].headers; headers != nil {
		v, _ := headers.render(c)
		for i, name := range v.Names {
			if value := v.Items[i]; value.Kind == Text && !strings.ContainsAny(name+value.Text, "\r\n\x00") {
				rep.Headers[name] = value.Text
			}
		}
	}
	return rep, true
}

// Has tells whether an answer was learned for a case.
func (op *Operation) Has(when string) bool { return op.answer(when) >= 0 }

// answer is the place of the answer for a case, -1 for none.
func (op *Operation) answer(when string) int {
	for i, a := range op.Answers {
		if a.When == when {
			return i
		}
	}
	return -1
}

// Most is how many codes an answer has at most, and Least how many at least.
func (op *Operation) Most() (least, most int) {
	i := op.answer(WhenFound)
	if i < 0 || op.compiled[i].body == nil {
		return 1, 1
	}
	least, most = 1, 1
	op.compiled[i].body.visit(func(n node) {
		if e, ok := n.(*each); ok && !e.items {
			least, most = max(least, e.least), max(most, e.most)
		}
	})
	return least, most
}

// node is a part of a template.
type node interface {
	// render makes the value; there is false where the member is left out.
	render(c *scene) (v Value, there bool)
	visit(f func(node))
}

// scene is what an answer is rendered with, at one place of it.
type scene struct {
	root, item *Ask
	match      *Match // nil is the best of the item
	rank       int
	dice       *dice // one for the whole answer
	inItem     bool
}

// dice are what is random in an answer, and what it repeats.
type dice struct {
	body     *[sha256.Size]byte // the digest of the request's body; nil until it is asked for
	drawn    uint64
	repeated int // bytes of the request
	// found has what the whole request has at a pointer: of a batch each item asks.
	found map[string]found
}

type found struct {
	value Value
	ok    bool
}

// maxRepeated is how many bytes of a request its answer repeats: of a batch each item may
// have what the whole request had.
const maxRepeated = 8 << 20

// repeat is what the request has at a pointer, as long as there is room for it.
func (c *scene) repeat(pointer string) (Value, bool) {
	if maxRepeated < c.dice.repeated { // nor is it looked for any more
		return Value{}, false
	}
	v, ok := c.find(pointer)
	if c.dice.repeated += v.size(); c.dice.repeated > maxRepeated {
		return Value{}, false
	}
	return v, ok
}

// seed is the digest of the request's body. It is made once: of a batch each item asks.
func (c *scene) seed() []byte {
	if c.dice.body == nil {
		sum := sha256.Sum256(c.root.Body.Append(nil))
		c.dice.body = &sum
	}
	return c.dice.body[:]
}

// best is the code that a place is about, nil for none.
func (c *scene) best() *Match {
	if c.match != nil {
		return c.match
	}
	if len(c.item.Found) > 0 {
		return &c.item.Found[0]
	}
	return nil
}

// find is what the request has at a pointer.
func (c *scene) find(pointer string) (Value, bool) {
	if name, ok := strings.CutPrefix(pointer, "?"); ok {
		if !c.root.Query.Has(name) {
			return Value{}, false
		}
		return Of(c.root.Query.Get(name)), true
	}
	if rest, ok := strings.CutPrefix(pointer, c.root.ItemsAt); ok && c.root.ItemsAt != "" {
		if !c.inItem {
			return Value{}, false
		}
		return c.item.Body.Find(rest)
	}
	known, ok := c.dice.found[pointer]
	if !ok {
		known.value, known.ok = c.root.Body.Find(pointer)
		if c.dice.found == nil {
			c.dice.found = map[string]found{}
		}
		c.dice.found[pointer] = known
	}
	return known.value, known.ok
}

// random is as random as an answer needs, and the same for the n-th answer of every run.
func (c *scene) random() [sha256.Size]byte {
	c.dice.drawn++
	seed := binary.BigEndian.AppendUint64(nil, c.root.Serial)
	seed = binary.BigEndian.AppendUint64(seed, c.dice.drawn)
	return sha256.Sum256(append(seed, c.seed()...))
}

// choice is a number below n, the same for the same request.
func (c *scene) choice(n int) int { return int(binary.BigEndian.Uint32(c.seed()) % uint32(n)) }
