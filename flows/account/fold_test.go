package account

import "testing"

func TestFold(t *testing.T) {
	for _, c := range []struct{ rule, in, want string }{
		{"case", "ALICE", "alice"},
		{"white space around", "\u3000 alice \n", "alice"},
		{"inner space stays", "alice smith", "alice smith"},
		{"full width", "ＡＬＩＣＥ＠example", "alice@example"},
		{"ligature", "oﬃce", "office"},
		{"composition", "e\u0301", "é"},
		{"sharp s", "Maß", "mass"},
		{"final sigma", "ΣΑΣ", "σασ"},
	} {
		if got := Fold(c.in); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.rule, c.in, got, c.want)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Alice", "ͅΑ", "\u0345\u0300", "ẞ", "İ", "ﬃ", " ǰ\u0323", "\u1fb7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("%q folds to %q and then to %q", s, once, twice)
		}
	})
}
