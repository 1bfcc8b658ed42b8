package tenant

import "testing"

// S182: which origins a tenant may name.
func TestOrigins(t *testing.T) {
	for v, want := range map[string]bool{
		"https://app.example": true, "https://app.example:8443": true, "http://localhost:3000": true, "http://127.0.0.1:3000": true, "http://[::1]:3000": true,
		"": false, "*": false, "null": false, "https://*": false, "https://*.app.example": false, "http://app.example": false, "https://app.example/": false,
		"https://app.example/a": false, "https://app.example?": false, "https://app.example?x": false, "https://app.example#": false, "https://APP.example": false,
		"HTTPS://app.example": false, "https://app.example:443": false, "http://localhost:80": false, "https://app.example:": false, "https://user@app.example": false,
		"app.example": false, "//app.example": false, "https://": false, "https://app.example,https://b.example": false, "https://app.example https://b.example": false,
		"chrome-extension://abc": false, "file://": false, "https://app.example\n": false,
	} {
		s := Settings{AppOrigins: []string{v}}
		if ok := s.Check() == nil; ok != want {
			t.Errorf("%q: %v", v, ok)
		}
	}
}
