package conformance

import "time"

var census = []promise{
	{"what all tenants have is counted", func(k *kit) {
		k.fill()
		newKit(k.TB, k.db).fill()
		o, err := k.db.CountObjects(k.ctx, k.now)
		k.must(err)
		if o.Interactions < 2 || o.Sessions < 2 || o.Clients < 2 || o.Authorizations < 2 {
			k.Errorf("there are %+v", o)
		}
		late, err := k.db.CountObjects(k.ctx, k.now.Add(100*365*24*time.Hour))
		k.must(err)
		if late.Interactions != 0 {
			k.Errorf("%d authorization requests wait for ever", late.Interactions)
		}
	}},
	{"connections are counted", func(k *kit) {
		open, used, idle, most := k.db.Pool()
		if open < 1 || most < open || used < 0 || idle < 0 {
			k.Errorf("%d open, %d used, %d idle of %d", open, used, idle, most)
		}
	}},
}
