package clientauth

import (
	"errors"
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// What a profile does not allow, for the operator.
var (
	errProfileMethod = errors.New("the client's profile does not allow this method")
	errProfileAlg    = errors.New("the client's profile does not allow the algorithm of the assertion")
)

// refused says why the client's profile does not let it authenticate so, whatever it registered once, or nil.
func (m *method) refused(c *tenant.Client, a *assertion) error {
	switch {
	case !c.Demands.AllowsMethod(m.name):
		return errProfileMethod
	case a != nil && a.signed != nil && !c.Demands.AllowsAlg(a.signed.Alg):
		return errProfileAlg
	}
	return nil
}

// AlgsOf are the algorithms that assertions of t's clients may be signed with.
func AlgsOf(t *tenant.Tenant) []keys.Alg {
	var algs []keys.Alg
	d := tenant.DemandsOf(t.Settings.Profile)
	for _, method := range Methods(t) {
		if method == oauth.AuthPrivateJWT || method == oauth.AuthSecretJWT {
			algs = append(algs, slices.DeleteFunc(Algs(method), func(a keys.Alg) bool { return !d.AllowsAlg(a) })...)
		}
	}
	return algs
}
