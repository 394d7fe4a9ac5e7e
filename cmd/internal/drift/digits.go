package drift

// Digits are the digits of an HS code; empty for a value that is none. Names are those
// of the members that it is in.
func Digits(names []string, v any) string { return digitsOf(names, v) }

// InText are the codes in an answer that is no JSON.
func InText(body []byte) []string { return codesIn(string(body), false) }
