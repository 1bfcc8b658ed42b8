package wire

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// The headers of RFC 9440 §2.
const (
	clientCert      = "Client-Cert"
	clientCertChain = "Client-Cert-Chain"
)

// maxCertificates is the longest header of certificates that is read, in bytes.
const maxCertificates = keys.MaxChain * keys.MaxCertificate * 2

var (
	errForeignCertificate = oauth.InvalidRequest("A client certificate in a header counts only from a trusted proxy")
	errCertificateHeader  = oauth.InvalidRequest("The header with the client certificate is malformed or repeated")
	errCertificate        = oauth.InvalidRequest("The client certificate cannot be used")
)

// Certificate returns the certificate that the client presented, nil where it presented none. It is that of the TLS
// connection, and behind a trusted proxy the one that the proxy speaks of (RFC 9440 §2.4): if it speaks of none there is
// none, whatever certificate the proxy itself has. From anybody else that header is invalid_request, as it is where it
// cannot be read.
func Certificate(c *gin.Context) (*keys.Certificate, error) {
	e := edgeOf(c.Request)
	name := http.CanonicalHeaderKey(cmp.Or(e.certificateHeader, clientCert))
	lines := c.Request.Header[name]
	if len(lines) > 0 && !e.trusted {
		return nil, errForeignCertificate
	}
	if len(lines) == 0 {
		if e.trusted && !e.assumed || c.Request.TLS == nil || len(c.Request.TLS.PeerCertificates) == 0 {
			return nil, nil
		}
		var chain [][]byte
		for _, p := range c.Request.TLS.PeerCertificates {
			chain = append(chain, p.Raw)
		}
		return usable(chain)
	}
	if len(lines) > 1 || len(lines[0]) > maxCertificates {
		return nil, errCertificateHeader
	}
	if name != clientCert {
		return other(lines[0])
	}
	chain, ok := byteSequences(lines)
	if !ok || len(chain) != 1 {
		return nil, errCertificateHeader
	}
	rest, ok := byteSequences(c.Request.Header[clientCertChain])
	if !ok {
		return nil, errCertificateHeader
	}
	return usable(append(chain, rest...))
}

func usable(chain [][]byte) (*keys.Certificate, error) {
	cert, err := keys.ParseCertificate(chain...)
	if err != nil {
		return nil, errCertificate.Because(err)
	}
	return cert, nil
}

// byteSequences reads the members of a list of byte sequences (RFC 8941 §3.1, §3.3.5), which may stand in several lines.
func byteSequences(lines []string) (members [][]byte, ok bool) {
	total := 0
	for _, line := range lines {
		if total += len(line); total > maxCertificates {
			return nil, false
		}
		for _, m := range strings.Split(line, ",") {
			m = strings.Trim(m, " \t")
			if len(m) < 2 || m[0] != ':' || m[len(m)-1] != ':' || len(members) >= keys.MaxChain {
				return nil, false
			}
			b, err := base64.StdEncoding.DecodeString(m[1 : len(m)-1])
			if err != nil || strings.ContainsAny(m, "\r\n") {
				return nil, false
			}
			members = append(members, b)
		}
	}
	return members, true
}

// other reads the header of a proxy that does not know RFC 9440: PEM in percent-encoding, or base64 of DER, of several
// certificates with commas between. An empty one says that there is no certificate.
func other(value string) (*keys.Certificate, error) {
	if value == "" {
		return nil, nil
	}
	if strings.HasPrefix(value, "-----BEGIN") {
		text, err := url.PathUnescape(value)
		if err != nil {
			return nil, errCertificateHeader
		}
		cert, err := keys.ParseCertificatePEM(text)
		if err != nil {
			return nil, errCertificate.Because(err)
		}
		return cert, nil
	}
	var chain [][]byte
	for _, m := range strings.Split(value, ",") {
		b, err := base64.StdEncoding.DecodeString(strings.Trim(m, ": \t"))
		if err != nil || len(chain) >= keys.MaxChain {
			return nil, errCertificateHeader
		}
		chain = append(chain, b)
	}
	return usable(chain)
}
