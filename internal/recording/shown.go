package recording

// Shown is the take that answers, or the latest where none does.
func (r *Recording) Shown() *Take {
	if t := r.Answer(); t != nil {
		return t
	}
	return r.Latest()
}

// Paid is what all takes cost, in units.
func (r *Recording) Paid() int {
	sum := 0
	for _, t := range r.Takes {
		sum += t.Cost
	}
	return sum
}
