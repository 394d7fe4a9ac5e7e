// Package project reads hsharness.yaml: what the account may spend, where the
// sandbox, the ledger and the recordings are, what requests cost, and how far runs
// may go. [Read] is the way in; [Settings] is the one table of what there is, from
// which the check, the JSON Schema and docs/project-file.md are made.
//
// A new setting is a row of that table and a field of [Project].
//
// The package opens no ledger and no connection. It may use the guard's and the
// recordings' types, because their settings are written in this file.
package project
