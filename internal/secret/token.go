package secret

import "bytes"

const (
	// partOfJWT is how many characters the header of a JSON Web Token has behind its first
	// three at least, and its payload.
	partOfJWT = 5
	// shortestBearer is how many characters a bearer token has at least, because "bearer"
	// is a word too.
	shortestBearer = 20
)

// scan is a search for tokens that goes through a text from its start on. Each token ends
// where a stretch of some characters ends, and many may seem to begin within one stretch:
// it is gone through once, not once for each of them.
type scan struct {
	t []byte
	// header and payload are those of a JSON Web Token, and key is one behind Bearer.
	header, payload, key stretch
}

// stretch is the one that was looked at last.
type stretch struct{ from, to int }

// end is where the characters end that are part of one of those sets, from t[i] on.
func (s *stretch) end(t []byte, i int, is func(c byte) bool) int {
	if s.from <= i && i < s.to {
		return s.to
	}
	s.from = i
	for s.to = i; s.to < len(t) && is(t[s.to]); {
		s.to++
	}
	return s.to
}

// inJWT tells whether a character may be in a part of a JSON Web Token: base64url.
func inJWT(c byte) bool { return c != '+' && c != '/' && sixBits[c] != none }

// inBearer tells whether a character may be in a bearer token, before the = at its end.
func inBearer(c byte) bool { return c == '.' || c == '~' || sixBits[c] != none }

// jwt is where the JSON Web Token ends that begins at t[i], 0 without one. RFC 7519 §3:
// three base64url parts; the first is a JSON object, {" or {.
func (s *scan) jwt(i int) (end int) {
	if !bytes.HasPrefix(s.t[i:], []byte("eyJ")) {
		return 0
	}
	header := s.header.end(s.t, i, inJWT)
	if header-i < len("eyJ")+partOfJWT || !s.dot(header) {
		return 0
	}
	payload := s.payload.end(s.t, header+1, inJWT)
	if payload-header-1 < partOfJWT || !s.dot(payload) {
		return 0
	}
	for end = payload + 1; end < len(s.t) && inJWT(s.t[end]); {
		end++
	}
	return end
}

func (s *scan) dot(i int) bool { return i < len(s.t) && s.t[i] == '.' }

// bearer is the token behind the word Bearer that begins at t[i]: RFC 6750 §2.1's
// b64token. 0 is none.
func (s *scan) bearer(i int) (from, end int) {
	const word = "bearer"
	least := i + len(word) + 1 // one character is between them at least
	if len(s.t) < least+shortestBearer || !bytes.EqualFold(s.t[i:i+len(word)], []byte(word)) {
		return 0, 0
	}
	from = i + len(word)
	row, pluses := 0, 0 // how many + stand before from; where enough for a token end last
scan:
	for from < len(s.t) {
		switch c := s.t[from]; {
		case c == '+':
			from, row = from+1, row+1
			if row >= shortestBearer && from-shortestBearer >= least {
				pluses = from
			}
		case c == ' ':
			from, row = from+1, 0
		case bytes.HasPrefix(s.t[from:], []byte("%20")):
			from, row = from+len("%20"), 0
		default:
			break scan
		}
	}
	if from < least {
		return 0, 0
	}
	end = s.key.end(s.t, from, inBearer)
	for end-from < shortestBearer && from > least && s.t[from-1] == '+' { // which may be part of a token
		from--
	}
	if end-from < shortestBearer {
		return max(pluses-shortestBearer, 0), pluses
	}
	for end < len(s.t) && s.t[end] == '=' {
		end++
	}
	return from, end
}
