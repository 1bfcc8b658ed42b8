package wire

import (
	"errors"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Places bounds how many requests are served at once, so that a server which is asked for more than it can do refuses
// early what would come too late, and of these how many are one tenant's, so that the others' find room.
type Places struct {
	all, each int

	mu    sync.Mutex
	taken int
	by    map[tenant.ID]int // of those whose tenant is known
}

// NewPlaces returns as many places, two at least, of which one tenant may take half.
func NewPlaces(all int) *Places {
	all = max(all, 2)
	return &Places{all: all, each: all / 2, by: map[tenant.ID]int{}}
}

// errFull is what a caller is told who finds no place.
var errFull = oauth.Unavailable().Because(errors.New("as many requests as there are places are being served"))

// Admit refuses with 503 what finds no place.
func (g *Gate) Admit() gin.HandlerFunc {
	return func(c *gin.Context) {
		p, e := g.Places, edgeOf(c.Request)
		if p == nil {
			return
		}
		if !p.enter() {
			refuse(c, e, errFull)
			return
		}
		defer p.leave(e)
		c.Next()
	}
}

func (p *Places) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken >= p.all {
		return false
	}
	p.taken++
	return true
}

// share counts the request of e as one of t, unless it has its share.
func (p *Places) share(e *edge, t tenant.ID) bool {
	if p == nil || e.of != "" {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by[t] >= p.each {
		return false
	}
	p.by[t]++
	e.of = t
	return true
}

func (p *Places) leave(e *edge) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if e.of == "" {
		return
	}
	if p.by[e.of]--; p.by[e.of] == 0 {
		delete(p.by, e.of)
	}
}
