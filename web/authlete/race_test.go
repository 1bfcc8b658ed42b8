package authlete

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
)

// callers are how many call at once.
const callers = 64

// crowd makes the same call at once and counts the actions that are answered.
func (w *world) crowd(t *testing.T, path string, body map[string]any) map[string]int {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	answered := make([]string, callers)
	for i := range callers {
		group.Go(func() {
			rec := w.call("POST", w.api("acme", path), string(b), nil)
			var out struct{ Action string }
			if json.Unmarshal(rec.Body.Bytes(), &out) != nil || rec.Code != http.StatusOK {
				out.Action = rec.Body.String()
			}
			answered[i] = out.Action
		})
	}
	group.Wait()
	counts := map[string]int{}
	for _, a := range answered {
		counts[a]++
	}
	return counts
}

func TestATicketIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			rule, path string
			body       map[string]any
		}{
			{"to issue", "/auth/authorization/issue", map[string]any{"subject": "alice"}},
			{"to fail", "/auth/authorization/fail", map[string]any{"reason": "DENIED"}},
		} {
			tt.body["ticket"] = w.ticket(t, "")
			got := w.crowd(t, tt.path, tt.body)
			if got["LOCATION"] != 1 || got["BAD_REQUEST"] != callers-1 {
				t.Errorf("%s: %v", tt.rule, got)
			}
		}
	})
}

func TestACodeIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.crowd(t, "/auth/token", redeeming(w.code(t, "")))
		if got["OK"] != 1 || got["BAD_REQUEST"] != callers-1 {
			t.Error(got)
		}
	})
}
