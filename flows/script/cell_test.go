package script

import "testing"

func BenchmarkACell(b *testing.B) {
	d := &desk{}
	d.obey(&order{Program: "p", Source: twoSteps})
	for b.Loop() {
		d.spare, _ = newCell()
		if r := d.obey(&order{Program: "p", Run: true, Handler: "onChallenge", Event: `{"type":"challenge","parameters":{"username":"alice"}}`}); !r.Done || r.Error != "" {
			b.Fatal(r)
		}
	}
}
