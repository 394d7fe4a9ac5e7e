package scenario
type matcher struct{}
