package connect2id

import (
	"errors"
	"net/http"
	"testing"
)

func TestWhatIsUnwellSaysSoAndNotWhy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.store.failWith(errors.New("the disk of db7 is full"))
		rec := w.call("GET", "/monitor/v1/healthcheck", "", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+apiToken("platform", "monitor"))
			r.Header.Del("Tenant-ID")
		})
		const want = `{"sqlStore":{"healthy":false,"duration":0,"timestamp":"2026-03-01T12:00:00Z"}}`
		if rec.Code != http.StatusServiceUnavailable || rec.Body.String() != want {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}
