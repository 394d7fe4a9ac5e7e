package authority

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
)

// Files are the names of the files by which a command trusts an authority, each of them
// readable by the command. An empty one is not given to it.
type Files struct {
	// Own has the authority's certificate alone, Bundle the system's with it.
	Own, Bundle string
	// TrustStore is that of Java, under [StorePassword].
	TrustStore string
	// PHP is a folder with the file of [Files.INI] in it, whose name ends in .ini.
	PHP string
}

// INI is what PHP has to read from [Files.PHP]: libcurl in it ignores the variables.
func (f Files) INI() []byte {
	return []byte("curl.cainfo = \"" + f.Bundle + "\"\nopenssl.cafile = \"" + f.Bundle + "\"\n")
}

// Environ are the variables, NAME=value, by which clients trust the authority: OpenSSL
// and Go, Python's requests, curl, Perl, NixOS's OpenSSL, Node, Java and PHP. getenv reads the variables as
// they are: what Java and PHP are told already stays. java is what else a Java program
// is told, each as -Dname=value.
func (f Files) Environ(getenv func(string) string, java ...string) []string {
	var vars []string
	for _, one := range [][2]string{
		{"SSL_CERT_FILE", f.Bundle}, {"REQUESTS_CA_BUNDLE", f.Bundle}, {"CURL_CA_BUNDLE", f.Bundle},
		{"PERL_LWP_SSL_CA_FILE", f.Bundle}, {"NIX_SSL_CERT_FILE", f.Bundle}, {"NODE_EXTRA_CA_CERTS", f.Own},
	} {
		if one[1] != "" {
			vars = append(vars, one[0]+"="+one[1])
		}
	}
	if f.TrustStore != "" {
		java = append(slices.Clone(java), "-Djavax.net.ssl.trustStore="+f.TrustStore,
			"-Djavax.net.ssl.trustStoreType=PKCS12", "-Djavax.net.ssl.trustStorePassword="+StorePassword)
	}
	if len(java) > 0 {
		all := []string{getenv("JAVA_TOOL_OPTIONS")}
		for _, option := range java {
			all = append(all, quoted(option))
		}
		vars = append(vars, "JAVA_TOOL_OPTIONS="+strings.TrimSpace(strings.Join(all, " ")))
	}
	if f.PHP != "" { // an empty folder in the list is PHP's own
		vars = append(vars, "PHP_INI_SCAN_DIR="+getenv("PHP_INI_SCAN_DIR")+string(os.PathListSeparator)+filepath.Clean(f.PHP))
	}
	return vars
}

// Bundles are where systems keep the authorities that they trust: Debian, Arch, Alpine
// and NixOS; Red Hat; SUSE; macOS and OpenSSL's own.
func Bundles() []string {
	return []string{
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cert.pem", "/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem",
		"/etc/ssl/cert.pem", "/etc/ssl1.1/cert.pem", "/usr/lib/ssl/cert.pem",
		"/etc/ssl/certs/ca-bundle.crt",
	}
}

// largestBundle bounds what is read of one, in bytes.
const largestBundle = 8 << 20

// System is what clients trust now: the bundle that SSL_CERT_FILE names, else the
// system's, and those that other variables name besides. Nil is a system without one.
func System(getenv func(string) string) []byte {
	var all []byte
	for _, name := range append([]string{getenv("SSL_CERT_FILE")}, Bundles()...) {
		if all = Named(name); all != nil {
			break
		}
	}
	for _, variable := range []string{"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
		if more := Named(getenv(variable)); !bytes.Contains(all, more) {
			all = append(append(all, '\n'), more...)
		}
	}
	return all
}

// Named reads a bundle that somebody named. Nil is none.
func Named(file string) []byte {
	if file == "" {
		return nil
	}
	text, err := files.Read(file, largestBundle)
	if err != nil { // its clients ignore it, or say so themselves
		return nil
	}
	return text
}

// quoted is an option as Java reads it from the variable: a space would end it.
func quoted(option string) string {
	switch {
	case !strings.ContainsAny(option, " \t'\""):
		return option
	case strings.Contains(option, `"`):
		return "'" + option + "'"
	}
	return `"` + option + `"`
}
