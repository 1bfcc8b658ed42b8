package tenant

import (
	"math"
	"strings"
	"time"
)

// DeviceSettings rule the device authorization grant (RFC 8628).
type DeviceSettings struct {
	Enabled         bool   `json:"enabled,omitempty"`
	Lifetime        int64  `json:"lifetime,omitempty"`          // 600 s in which the user may enter the code
	Interval        int64  `json:"interval,omitempty"`          // 5 s between two polls of a device
	UserCodeCharset string `json:"user_code_charset,omitempty"` // Base20 where empty, or Numeric
	UserCodeMask    string `json:"user_code_mask,omitempty"`    // an asterisk for each character, hyphens and spaces between: ****-****, numeric ***-***-***

	VerificationURI         string `json:"verification_uri,omitempty"`          // of a page of the tenant's own; ours where empty
	VerificationURIComplete string `json:"verification_uri_complete,omitempty"` // the same with UserCodeHere for the code; made of the other where empty
}

// UserCodeHere stands for the user code in VerificationURIComplete.
const UserCodeHere = "USER_CODE"

// The character sets of user codes (RFC 8628 §6.1).
const (
	Base20  = "base20"  // consonants, so that no words come of it, and nothing that looks alike
	Numeric = "numeric" // for remote controls
)

// userCodes are the character sets with their characters, default mask and the fewest characters of a code.
var userCodes = map[string]struct {
	characters, mask string
	fewest           int
}{
	Base20:  {"BCDFGHJKLMNPQRSTVWXZ", "****-****", 8},
	Numeric: {"0123456789", "***-***-***", 9},
}

func (d *DeviceSettings) charset() string {
	if d.UserCodeCharset == "" {
		return Base20
	}
	return d.UserCodeCharset
}

// UserCode returns the characters of user codes, and the mask: an asterisk for each, and what stands between.
func (d *DeviceSettings) UserCode() (characters, mask string) {
	u := userCodes[d.charset()]
	if d.UserCodeMask != "" {
		return u.characters, d.UserCodeMask
	}
	return u.characters, u.mask
}

// MaxWaiting is how many devices may wait for their users at once: so many that a guess at a user code hits one with odds
// of one in 2^20 at most (RFC 8628 §5.1), and never more than 100,000.
func (d *DeviceSettings) MaxWaiting() int {
	characters, mask := d.UserCode()
	space := math.Pow(float64(len(characters)), float64(strings.Count(mask, "*")))
	return int(min(space/(1<<20), 100_000))
}

// DeviceOn reports whether devices are served: where there is a page for their users to enter the code at.
func (s *Settings) DeviceOn() bool {
	return s.Device.Enabled && (s.Device.VerificationURI != "" || s.LoginURL == "")
}

// DevicePageOn reports whether that page is ours, which a tenant with a login UI of its own does not use.
func (s *Settings) DevicePageOn() bool { return s.DeviceOn() && s.Device.VerificationURI == "" }

// DeviceLifetime is how long a device waits for its user.
func (s *Settings) DeviceLifetime() time.Duration { return or(s.Device.Lifetime, 10*time.Minute) }

// DeviceInterval is how long a device has to wait between two polls.
func (s *Settings) DeviceInterval() time.Duration { return or(s.Device.Interval, 5*time.Second) }

// device checks what the ranges of numbers leave.
func (c *checker) device(d *DeviceSettings) {
	u, ok := userCodes[d.charset()]
	c.that(ok, "/device/user_code_charset", "must be base20 or numeric")
	m := d.UserCodeMask
	n := strings.Count(m, "*")
	c.that(m == "" || !ok || n >= u.fewest && len(m) <= 32 && strings.Trim(m, "*- ") == "" && m[0] == '*' && m[len(m)-1] == '*',
		"/device/user_code_mask", "must have an asterisk for each of at least 8 characters, or 9 digits, and between them hyphens and spaces")
	c.that(d.VerificationURI == "" || secureURL(d.VerificationURI), "/device/verification_uri", "must be an https URL without fragment; http only for the loopback")
	whole := d.VerificationURIComplete
	c.that(whole == "" || d.VerificationURI != "" && secureURL(whole) && strings.Contains(whole, UserCodeHere),
		"/device/verification_uri_complete", "must be such a URL that holds USER_CODE, beside verification_uri")
}
