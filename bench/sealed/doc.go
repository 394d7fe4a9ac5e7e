// Package sealed measures what a seal costs: whole commands beside exec without one, and a
// replayed request over TLS beside the same to a bare server.
package sealed
