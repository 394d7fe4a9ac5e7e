// Package project reads hsharness.yaml: what the account may spend, where the
// sandbox, the ledger and the recordings are, what requests cost, and how far runs
// may go. [Read] is the way in; [Settings] is the one table of what there is, from
// which the check, the JSON Schema and docs/project-file.md are made.
//
// A new setting is a row of that table and a field of [Project].
//
// It may touch that file and those that it names, to read, and opens no ledger and
// no connection. The types of the guard, the recordings and the ledger are among what
// it may touch, because their settings are written in this file.
package project
