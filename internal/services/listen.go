package services

import "net"

// Listen opens addr, for example "127.0.0.1:0", and returns the listener for
// [bounded.Servers.Serve]. The base URL is http:// and its address.
func Listen(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

// URL is the base URL of a listener.
func URL(l net.Listener) string { return "http://" + l.Addr().String() }
