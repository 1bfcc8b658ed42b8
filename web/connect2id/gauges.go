package connect2id

import (
	"context"
	"time"
)

// How long counted objects stay what they were, and how long counting may take.
const (
	counted   = 30 * time.Minute
	countTime = 2 * time.Minute
)

// gauge is what a gauge says.
type gauge struct {
	Value int64 `json:"value"`
}

// gauges are those that can be told now. What was not counted yet is not among them.
func (m *Metrics) gauges() map[string]any {
	out := map[string]any{}
	if m.Pool != nil {
		open, used, idle, most := m.Pool()
		for name, n := range map[string]int{"TotalConnections": open, "ActiveConnections": used, "IdleConnections": idle, "MaxConnections": most} {
			out["sqlStore.pool."+name] = gauge{int64(n)}
		}
	}
	if m.due() {
		m.counting, m.asked = true, m.now()
		go m.count()
	}
	if o := m.objects; o != nil {
		out["authzSessionStore.numSessions"], out["sessionStore.numSessions"] = gauge{o.Interactions}, gauge{o.Sessions}
		out["clientStore.numClients"], out["authzStore.numAuthorizations"] = gauge{o.Clients}, gauge{o.Authorizations}
	}
	return out
}

// due reports whether objects are to be counted, once somebody has asked.
func (m *Metrics) due() bool {
	return m.Count != nil && !m.counting && (m.asked.IsZero() || m.now().Sub(m.asked) >= counted)
}

// count counts objects. Where that fails they stay what they were until the next time.
func (m *Metrics) count() {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	o, err := m.Count(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counting = false; err == nil {
		m.objects = &o
	}
}
