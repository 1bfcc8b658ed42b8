package console

import (
	"time"
)

// newAlias is the body that gives a tenant a further issuer.
type newAlias struct {
	Issuer string `json:"issuer" need:"yes" doc:"https, or http on a loopback; spelled in its canonical form, as clients will know it"`
}

// shownAlias is a further issuer of a tenant.
type shownAlias struct {
	ID        string    `json:"id"`
	Issuer    string    `json:"issuer"`
	CreatedAt time.Time `json:"created_at"`
}

// aliasList are all aliases of a tenant.
type aliasList struct {
	Aliases []shownAlias `json:"aliases"`
}

func (d *Door) listAliases(q *call) (*aliasList, error) {
	as, err := d.Console.ListAliases(q.Request.Context(), q.id)
	if err != nil {
		return nil, err
	}
	out := &aliasList{Aliases: []shownAlias{}}
	for _, a := range as {
		out.Aliases = append(out.Aliases, shownAlias(a))
	}
	return out, nil
}

func (d *Door) addAlias(q *call, b *newAlias) (shownAlias, error) {
	a, err := d.Console.AddAlias(q.Request.Context(), q.id, b.Issuer, q.by)
	if err == nil {
		q.Header("Location", adminPath+"/tenants/"+string(q.id)+"/aliases/"+a.ID)
	}
	return shownAlias(a), err
}

func (d *Door) removeAlias(q *call) (none, error) {
	return none{}, d.Console.RemoveAlias(q.Request.Context(), q.id, q.Param("alias"), q.by)
}
