package authority

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

// StorePassword is that of every trust store: Java wants one to be sure that the store
// is whole, and nothing in it is secret.
const StorePassword = "changeit"

// TrustStore is a bundle of certificates, of which nil is an empty one, with the
// authority's, as Java reads them: PKCS #12 under [StorePassword]. What Go can't read
// in the bundle is left out.
func (a *Authority) TrustStore(system []byte) (store []byte, password string, err error) {
	entries := []pkcs12.TrustStoreEntry{{Cert: a.cert, FriendlyName: "hsharness"}}
	for block, rest := pem.Decode(system); block != nil; block, rest = pem.Decode(rest) {
		if cert, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			// Entries of one name are one entry to Java.
			entries = append(entries, pkcs12.TrustStoreEntry{Cert: cert, FriendlyName: fmt.Sprintf("system-%d", len(entries))})
		}
	}
	store, err = pkcs12.Modern2023.EncodeTrustStoreEntries(entries, StorePassword)
	return store, StorePassword, err
}
