package main

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"

	"github.com/chancery-id/chancery/tenant/outbound"
)

// outbound returns the client for URLs that tenants and clients supply. In development it also speaks http, with the
// loopback where that is allowed.
func (c *config) outbound() (*outbound.Client, error) {
	allow, err := networks("--outbound-allow", c.OutboundAllow)
	if err != nil {
		return nil, err
	}
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	return outbound.New(outbound.Options{Allow: allow, Plain: !c.production(), Roots: roots}), nil
}

// roots are the system's certificate authorities and those of ExtraCA, or nil where that is not set.
func (c *config) roots() (*x509.CertPool, error) {
	if c.ExtraCA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.ExtraCA)
	if err != nil {
		return nil, fmt.Errorf("--extra-ca: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--extra-ca: %s holds no certificate in PEM", c.ExtraCA)
	}
	return pool, nil
}

// networks parses the values of a flag, each an address or a network.
func networks(flag string, names []string) ([]netip.Prefix, error) {
	var ps []netip.Prefix
	for _, n := range names {
		p, err := netip.ParsePrefix(n)
		if ip, ipErr := netip.ParseAddr(n); ipErr == nil {
			p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %q is neither an address nor a network", flag, n)
		}
		ps = append(ps, p.Masked())
	}
	return ps, nil
}
