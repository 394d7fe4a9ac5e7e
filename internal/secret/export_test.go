package secret

// Stored is tested against Brotli's own reader.
var Stored = stored
