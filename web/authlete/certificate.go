package authlete

import (
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// clientCertificate is what the client presented to the authorization server, or to a resource: PEM, and the path of its
// issuers besides.
type clientCertificate struct {
	Certificate string   `json:"clientCertificate"`
	Path        []string `json:"clientCertificatePath"`
}

// presented returns the certificate, nil where there is none.
func (in *clientCertificate) presented() (*keys.Certificate, error) {
	if in.Certificate == "" {
		return nil, nil
	}
	cert, err := keys.ParseCertificatePEM(append([]string{in.Certificate}, in.Path...)...)
	if err != nil {
		return nil, oauth.InvalidRequest("clientCertificate or clientCertificatePath is not in PEM or cannot be used").Because(err)
	}
	return cert, nil
}

// thumbprint is that of the certificate, empty where there is none.
func (in *clientCertificate) thumbprint() (string, error) {
	cert, err := in.presented()
	if cert == nil {
		return "", err
	}
	return cert.Thumbprint(), nil
}
