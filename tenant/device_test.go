package tenant_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestCheckDevice(t *testing.T) {
	for _, tt := range []struct {
		rule, doc string
		wrong     []string
	}{
		{"everything may be set", `{"enabled": true, "lifetime": 60, "interval": 1, "user_code_charset": "numeric", "user_code_mask": "*** *** ***"}`, nil},
		{"nothing need be", `{}`, nil},
		{"the page may be the tenant's", `{"verification_uri": "https://as.example/device", "verification_uri_complete": "https://as.example/device/USER_CODE"}`, nil},
		{"it is https", `{"verification_uri": "http://as.example/device"}`, []string{"/device/verification_uri"}},
		{"the one with the code has a place for it", `{"verification_uri": "https://as.example/device", "verification_uri_complete": "https://as.example/device"}`, []string{"/device/verification_uri_complete"}},
		{"and stands beside the other", `{"verification_uri_complete": "https://as.example/USER_CODE"}`, []string{"/device/verification_uri_complete"}},
		{"a device waits at least a minute", `{"lifetime": 59}`, []string{"/device/lifetime"}},
		{"a device does not wait for hours", `{"lifetime": 3601}`, []string{"/device/lifetime"}},
		{"polls are apart", `{"interval": -1}`, []string{"/device/interval"}},
		{"characters are of two sets", `{"user_code_charset": "ABC"}`, []string{"/device/user_code_charset"}},
		{"a code has 8 letters", `{"user_code_mask": "*******"}`, []string{"/device/user_code_mask"}},
		{"or 9 digits", `{"user_code_charset": "numeric", "user_code_mask": "****-****"}`, []string{"/device/user_code_mask"}},
		{"a code may be long", `{"user_code_mask": "****-****-****-****"}`, nil},
		{"but not endless", `{"user_code_mask": "*********************************"}`, []string{"/device/user_code_mask"}},
		{"a mask holds nothing else", `{"user_code_mask": "X***-*****"}`, []string{"/device/user_code_mask"}},
		{"a mask begins and ends with the code", `{"user_code_mask": "********-"}`, []string{"/device/user_code_mask"}},
	} {
		var s tenant.Settings
		if err := json.Unmarshal([]byte(`{"device": `+tt.doc+`}`), &s); err != nil {
			t.Fatal(err)
		}
		var wrong []string
		for _, e := range s.Check() {
			wrong = append(wrong, e.Pointer)
		}
		if !slices.Equal(wrong, tt.wrong) {
			t.Errorf("%s: %q", tt.rule, wrong)
		}
	}
}

func TestDeviceSettings(t *testing.T) {
	for _, tt := range []struct {
		of      tenant.DeviceSettings
		mask    string
		waiting int
	}{
		{tenant.DeviceSettings{}, "****-****", 24414},
		{tenant.DeviceSettings{UserCodeCharset: "numeric"}, "***-***-***", 953},
		{tenant.DeviceSettings{UserCodeMask: "****-****-**"}, "****-****-**", 100_000},
	} {
		if _, mask := tt.of.UserCode(); mask != tt.mask || tt.of.MaxWaiting() != tt.waiting {
			t.Errorf("%+v: %q, %d", tt.of, mask, tt.of.MaxWaiting())
		}
	}
	s := tenant.Settings{Device: tenant.DeviceSettings{Enabled: true}}
	if !s.DeviceOn() || s.DeviceLifetime() != 10*time.Minute || s.DeviceInterval() != 5*time.Second {
		t.Errorf("%v %v %v", s.DeviceOn(), s.DeviceLifetime(), s.DeviceInterval())
	}
	if s.LoginURL = "https://login.example"; s.DeviceOn() {
		t.Error("on without our pages")
	}
}
