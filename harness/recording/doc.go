// Package recording keeps bought answers: a content-addressed store of HTTP
// exchanges, one file for each different request.
//
// [Open] a store, ask it for the [Store.Key] of a request, then [Store.Get]
// what answered it before, or [Store.Put] what answered it now. Callers that
// buy hold [Store.Lock] from Get to Put, so that a request in flight is bought
// once by all goroutines and processes that share the folder.
//
// # Keys
//
// A key is the SHA-256 of what makes a request that request: method,
// environment, API, path, sorted query, canonical JSON body (RFC 8785) and the
// headers a project lists. Credentials, dates, user agents and trace ids never
// count, so a rotated token finds the old answer. A body that canonical JSON
// could confuse with another one (duplicate members, numbers a double can't
// hold, lone surrogates) counts byte for byte, like a body that is not JSON.
//
// # Secrets
//
// Known secrets, JSON Web Tokens and bearer tokens are replaced by marks before
// the key is made and before anything is written. The same value always gives
// the same mark, and a mark that comes back in a later request, in whatever
// encoding, is that mark: a replayed answer can build the next request. What is
// to be written is searched once more, through more encodings than redaction
// knows; a file that still holds a secret goes to quarantine instead.
//
// # Files
//
// Files are JSON made for review: recordings/<operation>/<key12>.json. They are
// written to a temporary name in the same folder, flushed and renamed, so a
// crash leaves the old file or the new one. There is no index, and Open reads
// no folder. Locks, quarantined files and emergency copies live in .hsharness
// beside the recordings folder, which a .gitignore of its own keeps out of git.
package recording
