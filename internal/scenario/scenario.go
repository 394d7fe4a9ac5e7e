// Package scenario reads the declarative tests of hsharness: YAML files that
// say which tokens and requests to send, what to expect, and what it may cost.
//
// It may touch services, the guard, facts, the types of package report, and the
// commands of exec steps; the environment it reads as its caller lets it.
//
// [ParseFile] turns one file into a [Scenario] or into [Errors], each with file,
// line, column, the source line and a caret. It is strict: an unknown or
// duplicate key, a misspelt variable in an expression and a capture that no
// earlier step makes are errors before anything is sent. [Scenario.Price] says
// what a file costs and a [Pricer] what a run of it would buy, without opening a
// socket; [Lint] finds what is legal but probably wrong, and [Schema] is the JSON
// Schema of the format for editors.
//
// # Templates and expressions
//
// "{{ … }}" holds an expression of github.com/expr-lang/expr. It may use
// vars.NAME, matrix.NAME, row.NAME and capture.NAME; assertions and captures may also
// use res, the answer. A capture is known to the steps after its own. A string
// that is one template and nothing else keeps the type of its value; what is
// put into a path is escaped. Templates are read in the path, headers and body
// of a request, in a token's scope and client, in auth's token, in the words
// of a command and in expected values; nowhere else. Variables are read before
// any step: they hold no templates, but ${NAME} and ${NAME:-default} from the
// environment, which nothing else reads.
//
// # Data
//
// matrix.from names a file of data that stands beside the scenario: each of its rows is
// a case, and row.NAME a value of it. Package dataset reads it; what is wrong with it is
// wrong with the scenario.
//
// # Expectations
//
// A value under expect.json or expect.headers is compared as [Match] says.
// [Expect.Check] compares all that a step expects, and gives each difference
// the place of the expectation it breaks.
//
// # YAML
//
// Files are YAML 1.2 with what misleads taken out: no anchors, tags, merge
// keys or second document, and no number that another reader takes for a text
// (0901, 0x1F, 1_000) or that JSON writes in another way (+5, .5).
//
// # Numbers
//
// A number is sent and printed as it is written, and compared by its exact value,
// whether it comes from the file, an answer or a capture: see [Decimal].
// Expressions compare exactly, too, and fail where a calculation would round.
package scenario
