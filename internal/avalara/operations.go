package avalara

// Operation is an operation of the service, with what is known of it.
type Operation struct {
	Method, Path string
	// Known is what was read, and Source where. Unknown is what no public source shows.
	Known, Source, Unknown string
	// Published says that the bodies are public.
	Published bool
}

// Operations are those that the mock serves.
func Operations() []Operation {
	const (
		index = "the vendor's endpoint index of 2026-08-05"
		model = "the vendor's swagger of 2019, and two clients that ship"
	)
	var all []Operation
	for _, path := range []string{PathClassify, PathClassifyFromHS6, PathEnhanced, PathHints} {
		all = append(all, Operation{"POST", path, "path, host and scope", index, "the bodies of requests, answers and refusals", false})
	}
	return append(all,
		Operation{"POST", PathManaged, "path, host, model, limits and statuses", model, "what of it holds today", true},
		Operation{"GET", PathManaged + "/{id}", "path, host, model, limits and statuses", model, "what of it holds today", true})
}
