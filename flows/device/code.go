package device

import (
	"io"
	"strings"
	"unicode"

	"github.com/chancery-id/chancery/tenant"
)

// newUserCode returns a user code as it is shown (RFC 8628 §6.1). Every code is equally likely.
func newUserCode(rand io.Reader, d *tenant.DeviceSettings) string {
	characters, mask := d.UserCode()
	code, b := []byte(mask), make([]byte, 1)
	fair := 256 - 256%len(characters) // bytes from here on would favour the first characters
	for i := range code {
		if code[i] != '*' {
			continue
		}
		for b[0] = 255; int(b[0]) >= fair; {
			_, _ = io.ReadFull(rand, b)
		}
		code[i] = characters[int(b[0])%len(characters)]
	}
	return string(code)
}

// maxEntered is how much of what a user enters is read, in bytes.
const maxEntered = 256

// bare is a user code as it is compared: without case, and without what stands between its characters (RFC 8628 §6.1).
func bare(entered string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, entered[:min(len(entered), maxEntered)]))
}

// Written is a code that was found as its device shows it, however it was entered. What cannot be a code stays as it is.
func Written(d *tenant.DeviceSettings, entered string) string {
	_, mask := d.UserCode()
	code, b := bare(entered), []byte(mask)
	if len(code) != strings.Count(mask, "*") {
		return entered
	}
	for i := range b {
		if b[i] == '*' {
			b[i], code = code[0], code[1:]
		}
	}
	return string(b)
}

// mac is how a user code is stored: bound to the tenant's secret, as it is too short for a plain hash.
func mac(t *tenant.Tenant, code string) []byte {
	return t.Secret.MAC("device user_code", []byte(bare(code)))[:16]
}
