package authlete

import (
	"context"
	"errors"
	"testing"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/tenant"
)

// brokenDevices is a store that is out of order.
type brokenDevices struct{ device.Store }

func (brokenDevices) Device(context.Context, tenant.ID, []byte) (*decoupled.Authentication, error) {
	return nil, errors.New("out of order")
}

// Our own failure is told from a code that is not there.
func TestDeviceStoreFails(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.door.Device.Store = brokenDevices{w.door.Device.Store}
		for path, code := range map[string]string{"/device/verification": "A224101", "/device/complete": "A241101"} {
			a := w.post(t, path, map[string]any{"userCode": "BBBB-BBBB", "result": "ACCESS_DENIED"})
			if a["action"] != "SERVER_ERROR" || a["resultCode"] != code || a["responseContent"] != nil {
				t.Errorf("%s: %v", path, a)
			}
		}
	})
}
