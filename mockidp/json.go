package mockidp

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The writers here exist because the mirrored server's JSON has a fixed member
// order and an encoder that escapes other characters than encoding/json does.

// appendString writes s as .NET's System.Text.Json writes it by default: all
// that is not ASCII, and " & ' + < > ` in it, becomes \u with four upper-case
// digits.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch r {
		case '\\':
			b = append(b, `\\`...)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '"', '&', '\'', '+', '<', '>', '`', 0x7F:
			b = appendUnit(b, uint16(r))
		default:
			switch {
			case r >= ' ' && r < utf8.RuneSelf:
				b = append(b, byte(r))
			case r > 0xFFFF:
				high, low := utf16.EncodeRune(r)
				b = appendUnit(appendUnit(b, uint16(high)), uint16(low))
			default:
				b = appendUnit(b, uint16(r))
			}
		}
	}
	return append(b, '"')
}

// appendUnit writes one UTF-16 code unit as \u with four digits.
func appendUnit(b []byte, u uint16) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, '\\', 'u', digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15])
}

// appendMember writes a comma unless the member is the first, then its name.
func appendMember(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = appendString(b, name)
	return append(b, ':')
}

func appendText(b []byte, name, value string) []byte {
	return appendString(appendMember(b, name), value)
}

func appendInt(b []byte, name string, value int64) []byte {
	return strconv.AppendInt(appendMember(b, name), value, 10)
}

func appendList(b []byte, name string, values []string) []byte {
	b = append(appendMember(b, name), '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, v)
	}
	return append(b, ']')
}
