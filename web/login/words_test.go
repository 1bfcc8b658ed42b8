package login

import (
	"html/template"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

func TestEveryTextIsThere(t *testing.T) {
	var want []string
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil || len(names) != len(pages)+2 { // layout and agreement are within others
		t.Fatal(names, err)
	}
	for _, name := range names {
		source, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.(?:Say|Plain) "([^"]+)"`).FindAllStringSubmatch(string(source), -1) {
			want = append(want, m[1])
		}
	}
	if len(want) < 20 {
		t.Fatal("the templates say nothing: this test no longer reads them")
	}
	for _, key := range notices {
		want = append(want, key+".title", key+".text")
	}
	for _, key := range []string{"gone", "stranger", "bad", "signedout", "stayed", "deviceallowed", "devicedenied", "devicegone", "requestallowed", "requestdenied", "requestgone"} {
		want = append(want, key+".title", key+".text")
	}
	want = append(want, "device.wrong", "device.empty", "ago", "ago.now")
	for _, scope := range []string{oauth.OpenID, "profile", "email", "address", "phone", oauth.OfflineAccess} {
		want = append(want, "scope."+scope)
		for _, claim := range oauth.ScopeClaims(scope) {
			want = append(want, "claim."+claim)
		}
	}
	for _, l := range tongues {
		for _, key := range want {
			if l.words[key] == "" {
				t.Errorf("%s lacks %s", l.Tag, key)
			}
		}
		for key := range l.words {
			if strings.Count(l.words[key], "%s") != strings.Count(english[key], "%s") || strings.Count(l.words[key], "%") != strings.Count(l.words[key], "%s") {
				t.Errorf("%s: %s does not name what the English text names", l.Tag, key)
			}
		}
	}
}

func TestSay(t *testing.T) {
	l := tongue{Tag: "en", words: map[string]string{"k": "Don't <trust> %s"}}
	if got, want := l.Say("k", "<b>%d"), template.HTML("Don&#39;t &lt;trust&gt; <bdi>&lt;b&gt;%d</bdi>"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := l.Plain("k", "<b>"), "Don't <trust> <b>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := l.Plain("error"); got != "Error" {
		t.Errorf("a text that the language lacks is %q", got)
	}
}

func TestWait(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "", time.Second: "a second", 30 * time.Second: "30 seconds", 90 * time.Second: "2 minutes", 15 * time.Minute: "15 minutes"} {
		if got := tongues[0].wait(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestSpeak(t *testing.T) {
	for _, accept := range []string{"", "de, en;q=0.5", "xx-!!", strings.Repeat("a,", 4000)} {
		if got := speak([]string{"fr-CA", "not a tag"}, accept).Tag; got != "en" {
			t.Errorf("%.20q: got %s", accept, got)
		}
	}
}
