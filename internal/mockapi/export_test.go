package mockapi

// ReadsLong tells whether the answer to a long body is being made by a learned shape, beside
// which no other is.
func (s *Server) ReadsLong() bool {
	free := s.long.TryLock()
	if free {
		s.long.Unlock()
	}
	return !free
}
