package authlete

import (
	"strings"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Subject types, and the algorithms of signatures and encryption. A hyphen or plus is an underscore here.
var (
	subjectTypes       = words{{"PUBLIC", tenant.PublicSubjects}, {"PAIRWISE", tenant.PairwiseSubjects}}
	signatures         = append(named(keys.SigningAlgs()), append(named(keys.HMACAlgs()), words{{"NONE", string(keys.None)}}...)...)
	encryptions        = named(keys.EncryptionAlgs())
	contentEncryptions = named(keys.ContentEncryptions())
)

var underscored = strings.NewReplacer("-", "_", "+", "_", "dir", "DIR")

func named[S ~string](standard []S) (ws words) {
	for _, v := range standard {
		ws = append(ws, words{{underscored.Replace(string(v)), string(v)}}...)
	}
	return ws
}
