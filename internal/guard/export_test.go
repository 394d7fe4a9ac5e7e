package guard

import "time"

// Retrying is [Tape.Retrying] with another first pause.
func Retrying(t *Tape, first time.Duration) *Tape { return t.retrying(first) }
