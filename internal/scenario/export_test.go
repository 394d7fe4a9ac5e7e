package scenario

// Keys is the table of the keys that the parser knows.
func Keys() map[string][]string { return keys }

// Split is split, for its fuzz test.
func Split(text string) (exprs []string, at int, err error) {
	pieces, at, err := split(text)
	for _, p := range pieces {
		if p.expr {
			exprs = append(exprs, text[p.from:p.to])
		}
	}
	return exprs, at, err
}

// Limit says how many steps it may take to price all cases of a file.
func (p *Pricer) Limit(steps int) { p.most = steps }

// DecodeJSON is how the runner reads an answer.
func DecodeJSON(text []byte) (any, error) { return decodeJSON(text) }
