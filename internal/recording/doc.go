// Package recording keeps bought answers: a content-addressed store of HTTP
// exchanges, one file for each different request.
//
// It may touch the recordings folder and .hsharness beside it, internal/secret and
// internal/holder, and no network.
//
// [Open] a store, ask it for the [Store.Key] of a request, then for the
// [Store.Answer] that it has, or [Store.Put] what answers now. Callers that buy
// hold [Store.Lock] from Answer to Put, so that a request in flight is bought once
// by all goroutines and processes that share the folder, and are told before they
// pay whether the store is [Store.Ready] to keep it.
//
// # Keys
//
// A key is the SHA-256 of what makes a request that request: method,
// environment, API, path, sorted query, canonical JSON body (RFC 8785) and the
// headers a project lists, Accept-Language always among them. Credentials, dates,
// user agents and trace ids never count, so a rotated token finds the old answer. A
// body that canonical JSON could confuse with another one (duplicate members,
// numbers a double can't hold, lone surrogates) counts byte for byte, like a body
// that is not JSON.
//
// # Answers and evidence
//
// A take is an answer, or evidence: a failure that passes was paid for and is kept,
// but never answers. [Config.Answers] says which statuses are answers; it judges
// what earlier versions wrote down, too. Only where no take answers is a recording
// a miss, an [*EvidenceError].
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
// no folder. [Store.Ready] tries a write before its answer is paid for.
//
// Locks, quarantined files and emergency copies live in .hsharness beside the
// recordings folder, which a .gitignore of its own keeps out of git. They are places
// of the same store: reading puts together what all of them have for a key, and
// [Store.Recover] brings copies home. A file that is there and can't be read as the
// recording its name says, whatever it is, is a [*FileError] and never a miss.
package recording
