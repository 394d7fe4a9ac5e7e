package bearer

// Len is how many tokens are remembered.
func (m *Memory) Len() int { return len(m.tokens) }
