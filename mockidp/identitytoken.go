package mockidp

import "crypto/sha256"

// identityLifetime is in seconds: the mirrored server's default (Client.cs).
const identityLifetime = 300

// signedIn is how a user did: with a password, at the server itself, in a session of its own
// for each device. It is assumed: how Avalara's page has them sign in is not public.
var signedIn = []string{"pwd"}

// append writes who a user is.
func (u *user) append(b []byte) []byte {
	b = appendText(b, "sub", u.subject)
	b = appendInt(b, "auth_time", u.since)
	return appendText(b, "idp", "local")
}

// identityToken makes the ID token beside an access token, OpenID Connect Core §2, with
// the members of the mirrored server in its order: nbf, exp, iss, aud, iat, at_hash, sid,
// sub, auth_time, idp, amr (DefaultTokenService.cs). It says nothing of the user that
// userinfo would say.
func (s *Server) identityToken(cl *client, by *user, access string) (string, error) {
	k, err := s.keys.current()
	if err != nil {
		return "", err
	}
	now := s.clock.Now().Unix()
	hash := sha256.Sum256([]byte(access))
	b := appendInt([]byte{'{'}, "nbf", now)
	b = appendInt(b, "exp", now+identityLifetime)
	b = appendText(b, "iss", s.issuer)
	b = appendText(b, "aud", cl.ID)
	b = appendInt(b, "iat", now)
	b = appendText(b, "at_hash", base64url(hash[:len(hash)/2]))
	b = appendText(b, "sid", by.session)
	b = append(appendList(by.append(b), "amr", signedIn), '}')
	return k.jwt(tokenHeader("RS256", k.id, "JWT"), b)
}
