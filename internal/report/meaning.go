package report

// Meaning is what a word of a report means, everywhere that it stands.
type Meaning struct{ Word, Text string }

// Meanings are those of all words, in the order in which a report has them.
func Meanings() []Meaning {
	return []Meaning{
		{"left", "what ordinary runs may still spend: granted − spent − held − floor, and never below 0"},
		{"granted", "what the service granted, as init, grant and import wrote it down"},
		{"spent", "counts against the allowance: all but what was refunded, with what was spent before the ledger and what reconciliations added"},
		{"held", "what runs that have not ended may still spend; what they do not spend comes back"},
		{"floor", "kept back: only runs that a budget lets may spend it"},
		{"unknown", "spent, and nobody knows what became of it: it counts"},
		{"refused, failed", "answered with a status of 400 to 499; of 500 or more"},
		{"repeated", "answered although an earlier request with the same request key was answered with a status below 400: a recording would have done"},
		{"wasted", "unknown + refused + failed + repeated; each unit counts once"},
		{"bought again on purpose", "what would be repeated, but in mode live, in which recordings verify and refresh buy: no waste"},
		{"new answers", "how many requests that cost something were the first of their request key to be answered with a status below 400"},
		{"second tries", "spent on a request that the same run had tried before; they overlap with the others"},
		{"saved", "what requests would have cost that were not sent, as each run counted it at its end; a sentence counts the requests that recordings answered"},
		{"blocked", "how often a run was refused before it spent anything, by the rule that refused it and the suite that asked"},
		{"runs left", "left, divided by what the suite's latest twenty runs spent, the newer ones weighing more; at least: by the dearest of them"},
		{"lately, before", "spent since the day that was asked for, or in the last 30 days with today; in as long a time before that"},
	}
}
