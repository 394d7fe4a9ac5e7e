// Package mockidp is a mock of Avalara's identity service: an [http.Handler]
// that answers as the real one does, byte for byte where that is known.
//
// It may touch the facts of internal/avalara, what the limits of a server say of a body,
// and package control, and opens no file and no socket.
//
// [New] makes a server, [Server.Mint] any token, good or bad. Most tests want
// the harness package instead, which starts one with everything around it.
//
// What it mirrors is IdentityServer4 4.1.2, which is what the live discovery
// document of https://identity.avalara.com gives away: the order of its
// members is that product's, and no other version's. The behaviour is that of
// the product's source and tests; where it was inferred the code says so.
// Several of its answers differ from the RFCs, and so from what a client
// written by the book expects:
//
//   - a wrong secret is 400 invalid_client, never 401, and there is no
//     WWW-Authenticate (RFC 6749 §5.2);
//   - a missing grant_type is unsupported_grant_type, not invalid_request;
//   - a repeated parameter is no error, the first value counts (§3.2);
//   - scope in the token is an array, not a string (RFC 9068 §2.2.3), and
//     there is no sub where there is no user.
//
// # Tenants
//
// [Production] and [Sandbox] are the same program with separate issuers, keys
// and clients. A token of one is none for the other. The issuer is fixed when a
// server is made and never taken from a request; [Server.As] shows the same
// tenant under another one.
//
// # Endpoints
//
// Paths match in any case. Every other path is 404.
//
//	/connect/token                             for client_credentials and device codes
//	/.well-known/openid-configuration          all of it
//	/.well-known/openid-configuration/jwks     all of it
//	/connect/introspect                        for tokens of this server
//	/connect/revocation                        for JWTs, which it does not revoke
//	/connect/userinfo                          its refusals, and sub of a user
//	/connect/deviceauthorization               all of it, but for refresh tokens
//	/connect/authorize                         501 not mirrored: no source
//	/connect/endsession                        501 not mirrored: no source
//	/connect/checksession                      501 not mirrored: no source
//	/device                                    501 not mirrored: no source
//	/register/public                           501 not mirrored: no source
//
// Of the token endpoint these are not mirrored: private_key_jwt, which the real
// service offers, is invalid_client; other grants than client_credentials and
// device codes are refused as if nothing had ever been granted; Avalara's own
// validators, whose answers are not public, do not exist.
//
// # Devices
//
// A client with the grant urn:ietf:params:oauth:grant-type:device_code asks at
// /connect/deviceauthorization, RFC 8628, and polls the token endpoint. Codes live
// 300 s and may be asked for every 5 s, by the clock of [Config]; the last thousand
// are kept. [Server.AnswerDevice] stands for the user. The tokens are those of a
// user, with an ID token where openid was asked for. offline_access is
// invalid_scope, as for a client that may not have it: there are no refresh tokens.
//
// # Time, faults, journal
//
// All times come from the clock of [Config]. Faults strike by endpoint: token,
// discovery, jwks, introspect, revocation, userinfo, authorize, endsession,
// checksession, deviceauthorization, device, register. A fault on a token spoils
// the access token alone: the answer around it is that of a good one, apart from
// missing_expires_in. The journal has an entry for each request before its
// answer leaves.
package mockidp
