module github.com/hsharness/hsharness/bench

go 1.26.0
