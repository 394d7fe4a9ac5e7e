package scenario

import (
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp/control"
)

// Pos is a place in a scenario file. Line and Column count from 1, and Column
// counts characters, not bytes. The zero Pos is no place: the key that would
// stand there is absent from the file.
type Pos struct {
	Line   int
	Column int
}

// Scenario is one parsed file. It is never changed after [Parse] returned it,
// and so may be used by many goroutines.
type Scenario struct {
	// File is the name given to Parse.
	File string
	// Name says what is tested; Pos is where it stands.
	Name string
	Pos  Pos
	// Why is the reason to have this test. May be empty.
	Why  string
	Tags []string
	// Edition names the editions of the nomenclature that the file's codes are of, such
	// as HS 2022, HTS 2026. Empty is the one in force.
	Edition string
	// Environment is sandbox unless the file says production.
	Environment avalara.Environment
	// Mode is the ceiling that the file asks for, or "" for none. See
	// [Scenario.Ceiling] for the one that holds.
	Mode string
	// Quota is what the whole file may cost.
	Quota  Quota
	Matrix Matrix
	// Vars stand in the order of the file.
	Vars []Var
	// Weight is what covering something by this file is worth, where not all can be
	// bought; 1 unless the file says more.
	Weight int
	// Required says that a run which leaves a case of the file out can't pass.
	Required bool
	// Parallel says that the file's cases may run beside others; true unless
	// the file says false.
	Parallel bool
	Steps    []*Step
	// Finally runs after Steps, whatever became of them.
	Finally []*Step

	// Partial says what chose some of the cases, such as "shard 1/4"; empty where all are
	// there. See [Scenario.Part].
	Partial string

	part           []Case // with Partial
	whole          int    // how many cases there are where these are a part
	environmentPos Pos
	modePos        Pos
	source         []string // the file's lines, for messages
	excerpts       *excerpts
}

// Quota is a file's price in units over all its cases. Nil means that the file
// does not say.
type Quota struct {
	// Expected is asserted in every mode.
	Expected *Int
	// Max is never exceeded.
	Max *Int
}

// Int is a number of the file with its place.
type Int struct {
	Value int
	Pos   Pos
}

// Matrix is the table of cases: every combination of the rows of data and the axes'
// values except those excluded. The zero Matrix is one case without values. No axis can
// be called exclude, from, where, sample, limit or row.
type Matrix struct {
	// Data are the rows of a file, nil without matrix.from.
	Data *Data
	// Axes stand in the order of the file; the last one turns fastest.
	Axes []Axis
	// Exclude lists combinations: a case is left out when all values of one
	// entry are its own. Under row it has columns of the data.
	Exclude []map[string]any
}

// Axis is one row of a matrix. Values are JSON values: nil, bool, int, float64 or
// Decimal, string, []any, map[string]any.
type Axis struct {
	Name   string
	Pos    Pos
	Values []any
}

// Var is a named value. Its strings may hold ${NAME} or ${NAME:-default},
// which are read from the environment when the file is run.
type Var struct {
	Name  string
	Pos   Pos
	Value *Value
}

// Step is one thing to do, with what must come of it. Exactly one of Token,
// Request and Exec is set; all are nil in a step that only moves the clock.
type Step struct {
	// ID is the step's name, empty where the file gives none. See [Step.Label].
	ID string
	// Index is the step's place in its list, from 0.
	Index int
	// Final says that the list is finally.
	Final bool
	Pos   Pos
	// Clock moves the mock clock before the step. Zero moves nothing.
	Clock    control.Duration
	ClockPos Pos
	// Environment is the file's unless the step names another.
	Environment avalara.Environment
	// EnvironmentPos is zero when the step has the file's environment.
	EnvironmentPos Pos

	Token   *Token
	Request *Request
	Exec    *Exec

	// Faults are armed for this step alone.
	Faults []Fault
	// Retry is nil when the step is tried once.
	Retry  *Retry
	Expect Expect
	// Score is nil where the answers of all cases are not judged together.
	Score   *Score
	Capture []Capture
}

// Token asks the identity service for an access token.
type Token struct {
	Pos Pos
	// Scope is sent as it is; nil sends none.
	Scope  *Template
	Client Client
}

// ClientKind says whose credentials a token step sends.
type ClientKind string

const (
	// ClientDefault is the client that the runner gives to tests.
	ClientDefault ClientKind = "default"
	// ClientUnknown is a client id that the identity service does not know.
	ClientUnknown ClientKind = "unknown"
	// ClientWrongSecret is the default client's id with another secret.
	ClientWrongSecret ClientKind = "wrong_secret"
	// ClientGiven means that the file itself gives id and secret.
	ClientGiven ClientKind = "given"
)

// Client is a choice of credentials. ID and Secret are set for ClientGiven
// alone.
type Client struct {
	Kind   ClientKind
	Pos    Pos
	ID     *Template
	Secret *Template
}

// Request is one call of a classification API.
type Request struct {
	Pos    Pos
	API    avalara.API
	Method string
	// Path starts with a slash and may have a query. [Request.Target] fills it.
	Path *Template
	// Headers stand in the order of the file.
	Headers []Header
	// Body is sent as JSON. Nil sends none.
	Body *Value
	Auth Auth
}

// Header is one request header.
type Header struct {
	Name  string
	Pos   Pos
	Value *Template
}

// AuthKind says which token a request carries.
type AuthKind string

const (
	// AuthDefault is a good token, which the runner gets for the request's API.
	AuthDefault AuthKind = "default"
	// AuthNone sends no Authorization header.
	AuthNone AuthKind = "none"
	// AuthExpired is a token that expired more than the skew ago.
	AuthExpired AuthKind = "expired"
	// AuthBadSignature is a token whose signature does not fit.
	AuthBadSignature AuthKind = "bad_signature"
	// AuthWrongScope is a good token without the scope of the request's API.
	AuthWrongScope AuthKind = "wrong_scope"
	// AuthToken is a token that the file itself gives.
	AuthToken AuthKind = "token"
)

// Auth is a choice of token. Token is set for AuthToken alone; Pos is zero
// where the file says nothing.
type Auth struct {
	Kind  AuthKind
	Pos   Pos
	Token *Template
}

// Exec runs a command behind the guard. It passes when the command exits 0.
type Exec struct {
	Pos Pos
	// Command has at least one word.
	Command []*Template
	// Timeout ends the command. Zero means none.
	Timeout control.Duration
}

// Fault is a fault with its place in the file.
type Fault struct {
	control.Fault
	Pos Pos
}

// Retry sends a request again when it was answered by one of these statuses.
type Retry struct {
	Pos Pos
	// Max is how often to send again: at most Max + 1 requests in all.
	Max int
	On  *Status
	// Interval is waited in between. Zero means not at all.
	Interval control.Duration
}

// Expect is what must come of a step. A nil or empty field is not checked.
type Expect struct {
	Pos     Pos
	Status  *Status
	Headers []HeaderWant
	// JSON is compared by [Match].
	JSON *Value
	// Spend is the units that the step spent, or would have spent.
	Spend *Int
	// Calls is the number of requests that the guard saw.
	Calls  *Int
	Assert []*Expr
}

// HeaderWant is one expected header. Names are compared without case; Value is
// compared by [Match].
type HeaderWant struct {
	Name  string
	Pos   Pos
	Value *Value
}

// Capture gives a name to a value of the answer, for later steps.
type Capture struct {
	Name string
	Pos  Pos
	Expr *Expr
}
