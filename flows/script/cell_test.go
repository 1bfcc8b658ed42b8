package script

import "testing"

func BenchmarkACell(b *testing.B) {
	d := &desk{}
	d.obey(&order{Program: "p", Source: twoSteps})
	for b.Loop() {
		_ = d.prepare()
		if r := d.obey(&order{Program: "p", Run: true, Handler: "onChallenge", Event: `{"type":"challenge","parameters":{"username":"alice"}}`}); !r.Done || r.Error != "" {
			b.Fatal(r)
		}
	}
}

func BenchmarkACellThatIsThere(b *testing.B) {
	d := &desk{}
	d.obey(&order{Program: "p", Source: twoSteps})
	for b.Loop() {
		b.StopTimer()
		_ = d.prepare()
		b.StartTimer()
		if r := d.obey(&order{Program: "p", Run: true, Handler: "onChallenge", Event: `{"type":"challenge","parameters":{"username":"alice"}}`}); !r.Done || r.Error != "" {
			b.Fatal(r)
		}
	}
}
