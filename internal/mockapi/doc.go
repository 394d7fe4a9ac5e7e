// Package mockapi is a mock of the HS classification API: the current, the
// legacy and the managed host of one environment, with a lifetime allowance of
// its own.
//
// It may touch facts, the token check, what the limits of a server say of a body, the
// catalogue, package control and its state file, and opens no socket.
//
// [New] makes a [Server] from a [Config], and [Server.Handler] gives the
// http.Handler of one host. The zero Config works, but knows no signing key and
// so refuses every token; give it the keys of the environment's identity
// service. Most tests want harness.Start, which does that.
//
// # Operations
//
//	current, legacy  POST /hscode/classify
//	                 POST /hscode/classify_from_hs6
//	                 POST /hscode-enhanced/classify
//	                 POST /hscode/hints
//	managed          POST /api/v2/companies/{companyId}/classifications/hs[/]
//	                 GET  /api/v2/companies/{companyId}/classifications/hs/{id}
//
// Paths, hosts and scopes are verified. So are the managed host's model, its
// limits, its status codes and the error envelope; the bodies of the four
// /hscode operations are not public. Theirs are assumed: the request is read
// leniently, the answer is ours, and [Config].Templates replaces both. [OpenAPI]
// is a document of all that is served, which says of each field what it rests on.
//
// # Order of checks
//
// Path (404), method (405), token (401, 403), rate (429), content type (415),
// size (413), JSON (400), fields (422), allowance (the exhausted answer), work.
// A fault strikes before or after all of them.
//
// The rate limit, off by default, is apart from the allowance: it passes with
// time, says in Retry-After when, and counts nothing.
//
// # The allowance
//
// A unit is counted when a classification request passes all checks: one for
// a POST, one for each item of classify_from_hs6, none for a GET and none for a
// request that is refused. It is counted before the answer is written, so that
// an answer that is lost on its way has its price; a request that asks for more
// than is left costs nothing and gets nothing. Counts are kept per account,
// which is the token's client id, and nothing sets them back: not
// [Server.Reset], and with a state file not a restart. What the real service
// counts, and what it answers in the end, is unknown; see [Profile].
//
// This rule is the mock's own. It shares nothing with the guard's table of
// operations, because it is the truth that the guard is tested against.
package mockapi
