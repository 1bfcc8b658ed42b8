package oauth

import "strings"

// Prompt is the set of values of the prompt parameter (OIDC Core §3.1.2.1; Initiating User Registration 1.0).
type Prompt uint8

// The values of prompt.
const (
	PromptNone Prompt = 1 << iota
	PromptLogin
	PromptConsent
	PromptSelectAccount
	PromptCreate
)

// prompts lists the values by name, in the order they are written.
var prompts = []struct {
	name string
	is   Prompt
}{
	{"none", PromptNone},
	{"login", PromptLogin},
	{"consent", PromptConsent},
	{"select_account", PromptSelectAccount},
	{"create", PromptCreate},
}

// ParsePrompt reads a prompt parameter. none and create stand alone; an unknown value is invalid_request.
func ParsePrompt(s string) (Prompt, error) {
	var p Prompt
	for v := range strings.FieldsSeq(s) {
		found := false
		for _, w := range prompts {
			if w.name == v {
				p, found = p|w.is, true
			}
		}
		if !found {
			return 0, InvalidRequest("prompt has an unknown value")
		}
	}
	for _, alone := range []Prompt{PromptNone, PromptCreate} {
		if p.Has(alone) && p != alone {
			return 0, InvalidRequest("prompt combines values that exclude each other")
		}
	}
	return p, nil
}

// Has reports whether p holds any value of o.
func (p Prompt) Has(o Prompt) bool { return p&o != 0 }

// Values lists the values of p by name.
func (p Prompt) Values() []string {
	var vs []string
	for _, w := range prompts {
		if p.Has(w.is) {
			vs = append(vs, w.name)
		}
	}
	return vs
}
