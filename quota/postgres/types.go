package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// parameterTypes are the types of what is put into statements, by their names in
// PostgreSQL. The driver knows them of itself, and two hundred more, unless it is built
// with nopgxregisterdefaulttypes, as a release is: these types are a megabyte and a
// half of program. It asks for them where the connection string says that statements
// are not described first (default_query_exec_mode=exec or simple_protocol).
var parameterTypes = []struct {
	name  string
	value any
}{
	{"text", ""},
	{"_text", []string(nil)},
	{"int8", 0},
	{"int8", int64(0)},
	{"int4", int32(0)},
	{"_int8", []int64(nil)},
	{"bool", false},
	{"_bool", []bool(nil)},
	{"bytea", []byte(nil)},
	{"_bytea", [][]byte(nil)},
	{"timestamptz", time.Time{}},
	{"_timestamptz", []time.Time(nil)},
}

// know tells a connection the types of our parameters.
func know(m *pgtype.Map) {
	for _, p := range parameterTypes {
		m.RegisterDefaultPgType(p.value, p.name)
	}
}

// moment reads a time, in UTC and as nothing for NULL. Infinity, and a year of more than four digits, which JSON
// does not have, are the last of what it has, or the first: somebody else wrote them.
type moment struct{ to *time.Time }

// The first and the last moment of the years 1 to 9999.
var firstMoment, lastMoment = time.Time{}.Add(time.Microsecond), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)

// ScanTimestamptz implements [pgtype.TimestamptzScanner].
func (m moment) ScanTimestamptz(v pgtype.Timestamptz) error {
	switch t := v.Time.UTC(); {
	case !v.Valid:
		*m.to = time.Time{}
	case v.InfinityModifier == pgtype.Infinity || t.After(lastMoment):
		*m.to = lastMoment
	case v.InfinityModifier == pgtype.NegativeInfinity || t.Before(firstMoment):
		*m.to = firstMoment
	default:
		*m.to = t
	}
	return nil
}
