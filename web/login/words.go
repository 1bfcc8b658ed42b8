package login

import (
	"fmt"
	"html/template"
	"strconv"
	"time"

	"golang.org/x/text/language"
)

// tongue is a language that the pages speak.
type tongue struct {
	Tag   string            // BCP 47
	words map[string]string // by key; %s stands for a name
}

// tongues are the languages of the pages; the first is spoken to those who understand none of them.
var tongues = []tongue{
	{"en", english},
}

var matcher = func() language.Matcher {
	var tags []language.Tag
	for _, l := range tongues {
		tags = append(tags, language.MustParse(l.Tag))
	}
	return language.NewMatcher(tags)
}()

// maxAccept is how much of an Accept-Language header is read, in bytes.
const maxAccept = 512

// speak returns the language for a user of these locales, from the ui_locales parameter, by preference, and then of
// what the browser accepts.
func speak(locales []string, accept string) tongue {
	var want []language.Tag
	for _, l := range locales {
		if tag, err := language.Parse(l); err == nil {
			want = append(want, tag)
		}
	}
	if len(accept) <= maxAccept {
		tags, _, _ := language.ParseAcceptLanguage(accept) // what cannot be read asks for nothing
		want = append(want, tags...)
	}
	_, i, _ := matcher.Match(want...)
	return tongues[i]
}

// Say returns a text as HTML, with names set apart so that they cannot be taken for our words.
func (l tongue) Say(key string, names ...string) template.HTML {
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = "<bdi>" + template.HTMLEscapeString(name) + "</bdi>"
	}
	return template.HTML(fmt.Sprintf(template.HTMLEscapeString(l.word(key)), args...))
}

// Plain returns a text as it is, for titles and attributes.
func (l tongue) Plain(key string, names ...string) string {
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	return fmt.Sprintf(l.word(key), args...)
}

// word returns a text. One that is missing is said in the first language.
func (l tongue) word(key string) string {
	if w := l.words[key]; w != "" {
		return w
	}
	return tongues[0].words[key]
}

// wait words a time in whole seconds; none has no words.
func (l tongue) wait(d time.Duration) string {
	seconds := int(d / time.Second)
	switch {
	case seconds <= 0:
		return ""
	case seconds == 1:
		return l.Plain("wait.second")
	case seconds < 90:
		return l.Plain("wait.seconds", strconv.Itoa(seconds))
	}
	return l.Plain("wait.minutes", strconv.Itoa((seconds+59)/60))
}
