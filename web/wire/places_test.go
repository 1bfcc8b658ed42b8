package wire_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/web/wire"
)

// Of four places one tenant may take two; what finds none is refused at once, and what ends makes room.
func TestPlaces(t *testing.T) {
	inside, leave, left := make(chan bool), make(chan bool), make(chan bool)
	w := newWorld(t, public("GET", "/wait", func(*gin.Context) {
		inside <- true
		<-leave
	}), public("GET", "/pass", func(c *gin.Context) { wire.JSON(c, 200, "") }))
	w.gate.Places = wire.NewPlaces(4)
	ask := func(url string) *httptest.ResponseRecorder { return w.do(call("GET", url)) }
	enter := func(tenant string) {
		go func() {
			ask("https://id.example/t/" + tenant + "/wait")
			left <- true
		}()
		<-inside
	}
	full := func(rule, url string, want int) {
		t.Helper()
		if rec := ask(url); rec.Code != want || (want == 503) != (rec.Header().Get("Retry-After") == "1") {
			t.Errorf("%s: %d %v", rule, rec.Code, rec.Header())
		}
	}
	const acme, globex, own = "https://id.example/t/acme/pass", "https://id.example/t/globex/pass", "https://login.own.example/pass"
	full("an empty server serves", acme, 200)
	enter("acme")
	enter("acme")
	full("a tenant that has its share is refused", acme, 503)
	full("another is not", globex, 200)
	enter("globex")
	enter("globex")
	full("nobody finds a place in a full server", own, 503)
	for range 2 {
		leave <- true
		<-left
	}
	full("what ends makes room", own, 200)
	for range 2 {
		leave <- true
		<-left
	}
	full("an empty server serves again", acme, 200)
}
