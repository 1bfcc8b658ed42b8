package tenant

import "regexp"

// Script says which version of a script of the tenant runs (docs/scripts.md).
type Script struct {
	Version  int64  `json:"version"`            // its number
	Digest   string `json:"digest"`             // of its source; what has another does not run
	Previous int64  `json:"previous,omitempty"` // the version that ran before it
}

// ScriptName is what scripts are called.
var ScriptName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

var digest = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// scripts checks which scripts run.
func (c *checker) scripts(scripts map[string]Script) {
	for name, s := range scripts {
		at := "/scripts/" + escape.Replace(name)
		c.that(ScriptName.MatchString(name), at, "must be 1 to 63 of a-z, 0-9, hyphen and underscore, a letter first")
		c.that(s.Version > 0, at+"/version", "is no number of a version")
		c.that(s.Previous >= 0, at+"/previous", "is no number of a version")
		c.that(digest.MatchString(s.Digest), at+"/digest", "is no digest of a source")
	}
}
