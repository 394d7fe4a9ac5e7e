package sqlite

import "net/url"

// uri is path as SQLite takes it: https://www.sqlite.org/uri.html. Nothing of a
// path has a meaning there once it is escaped, so that what reaches the file
// layer is the path itself, byte by byte, in the spelling of the system: no
// slash before a drive letter, no server's name that is read as an authority, no
// '?' that begins the settings. A path with a NUL would end there, but the gate,
// which is opened before, can't have such a name.
func uri(path string, settings url.Values) string {
	return "file:" + url.PathEscape(path) + "?" + settings.Encode()
}
