// Package scenario reads the declarative tests of hsharness: YAML files that
// say which tokens and requests to send, what to expect, and what it may cost.
//
// [Parse] turns one file into a [Scenario] or into [Errors], each with file,
// line, column, the source line and a caret. It is strict: an unknown or
// duplicate key, a misspelt variable in an expression and a capture that no
// earlier step makes are errors before anything is sent. [Scenario.Price] says
// what a file costs without opening a socket, [Lint] finds what is legal but
// probably wrong, and [Schema] is the JSON Schema of the format for editors.
//
// # Templates and expressions
//
// "{{ … }}" holds an expression of github.com/expr-lang/expr. It may use
// vars.NAME, matrix.NAME and capture.NAME; assertions and captures may also
// use res, the answer. A string that is one template and nothing else keeps
// the type of its value. Templates are read in the path, headers and body of a
// request, in a token's scope and client, in auth's token, in the words of a
// command and in expected values; nowhere else.
//
// # Expectations
//
// A value under expect.json or expect.headers is compared as a [Match] is
// documented to compare.
package scenario
