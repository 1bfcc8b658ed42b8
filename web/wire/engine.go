package wire

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Handler returns the doors behind the gate. A request passes, in this order: Edge (tenant in the URL, client
// address, deadline), Trace, Record (one event, panics), Headers, Admit (places), and its route with the admission of Gate.
func (g *Gate) Handler(doors ...Door) http.Handler {
	gin.SetMode(gin.ReleaseMode) // otherwise it writes to the log what is no record
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.RedirectFixedPath = false
	engine.HandleMethodNotAllowed = true
	engine.UseRawPath = true
	engine.UnescapePathValues = false // Router does it, without turning + into a space
	engine.ContextWithFallback = true
	engine.ForwardedByClientIP = false
	_ = engine.SetTrustedProxies(nil) // cannot fail; the client's address is AddressOf

	if g.Tracer != nil {
		engine.Use(g.Trace())
	}
	engine.Use(g.Record(), Headers(), g.Admit())
	engine.NoRoute(g.noRoute(errNotFound))
	engine.NoMethod(g.noRoute(errMethod))
	r := NewRouter(g, engine)
	for _, d := range doors {
		d.Mount(r)
	}
	return g.Edge(engine)
}
