package grant

import (
	"encoding/json"
	"testing"
)

func TestJoined(t *testing.T) {
	claims := map[string]json.RawMessage{"b": json.RawMessage(`{ "x" : 1 }`), "a": json.RawMessage(`"v"`), "iss": json.RawMessage(`"evil"`),
		"own": json.RawMessage(`2`), "cnf": json.RawMessage(`{}`)}
	got, err := joined([]byte(`{"iss":"i","own":1}`), claims)
	if want := `{"iss":"i","own":1,"a":"v","b":{"x":1}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
