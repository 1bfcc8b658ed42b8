package limit

import (
	"net/netip"
	"strings"
)

// site is the network that an IPv6 address belongs to: whoever has one address has all 2^64 of them. Anything else is
// itself.
func site(source string) string {
	if !strings.Contains(source, ":") {
		return source
	}
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return source
	}
	if addr = addr.Unmap(); addr.Is4() {
		return addr.String()
	}
	network, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return source
	}
	return network.String()
}
