package login

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Between the password and the code of a user nothing is stored: the page that asks for the code carries a proof that the
// password was right, which holds in the browser that it was given to, for what was to be signed in for, for a while.

const (
	proofKey  = "login first factor" // purpose of the MAC
	proofLife = 10 * time.Minute
)

// first is what a user has proved who is asked for a code.
type first struct {
	subject string
	at      time.Time // of the password
}

// proof is f as the page carries it, at now.
func (f first) proof(t *tenant.Tenant, binding, about string, now time.Time) string {
	v := strings.Join([]string{strconv.FormatInt(f.at.Unix(), 10), strconv.FormatInt(now.Unix(), 10), f.subject}, ".")
	mac := t.Secret.MAC(proofKey, []byte(binding), []byte(about), []byte(v))
	return base64.RawURLEncoding.EncodeToString(mac) + "." + v
}

// checkFirst returns what was proved, where proof was given to that browser for that, and lately.
func checkFirst(t *tenant.Tenant, proof, binding, about string, now time.Time) (first, bool) {
	sum, v, _ := strings.Cut(proof, ".")
	mac, err := base64.RawURLEncoding.Strict().DecodeString(sum)
	if err != nil || !t.Secret.CheckMAC(mac, proofKey, []byte(binding), []byte(about), []byte(v)) {
		return first{}, false
	}
	at, v, _ := strings.Cut(v, ".")
	made, subject, _ := strings.Cut(v, ".")
	password, err1 := strconv.ParseInt(at, 10, 64)
	given, err2 := strconv.ParseInt(made, 10, 64)
	if err1 != nil || err2 != nil || now.Sub(time.Unix(given, 0)) > proofLife {
		return first{}, false
	}
	return first{subject, time.Unix(password, 0)}, true
}

// codePage is the content of the page that asks for a code.
type codePage struct {
	Who     person
	Proof   string
	Problem string // text key; empty: none
	Alone   bool   // there is nothing to go back to
}

// askCodeOf shows the page that asks the user of e for a code. policy is where its form may lead.
func (u *UI) askCodeOf(c *gin.Context, t *tenant.Tenant, pg *page, e entry, alone bool, policy string) error {
	in := codePage{Proof: e.proof, Problem: e.problem, Alone: alone}
	var err error
	if in.Who, err = u.person(c, t, e.subject); err != nil {
		return err
	}
	pg.Title = pg.Plain("code.title")
	if e.problem != "" {
		pg.Title = pg.Plain("error") + ": " + pg.Title
	}
	pg.Body = in
	render(c, http.StatusOK, "code", pg, policy)
	return nil
}

// presented is what a form of sign-in came to: a login, or a page to be shown.
type presented struct {
	login session.Login
	entry entry // where it asks, there is no login yet
}

// authenticate checks the user name and password of f, or the code that goes with them. about is what is signed in for.
func (u *UI) authenticate(ctx context.Context, c *gin.Context, t *tenant.Tenant, f form, about string) (presented, error) {
	if f.Get("action") == "code" {
		return u.second(ctx, c, t, f, about)
	}
	e := entry{username: f.Get("username"), switching: c.Query("switch") != ""}
	if e.username == "" || f.Get("password") == "" {
		e.problem = "signin.incomplete"
		return presented{entry: e}, nil
	}
	a, err := u.Accounts.Verify(ctx, t, e.username, f.Get("password"), address(c))
	switch {
	case errors.Is(err, account.ErrDenied):
		wire.EventOf(c).Fail(err)
		e.problem = "signin.denied"
		return presented{entry: e}, nil
	case err != nil:
		return presented{}, err
	case a.HasTOTP:
		now := u.Now()
		return presented{entry: entry{subject: a.Subject, proof: first{a.Subject, now}.proof(t, f.binding, about, now)}}, nil
	}
	return presented{login: loginBy(t, a.Subject, tenant.AMRPassword)}, nil
}

// second checks a code.
func (u *UI) second(ctx context.Context, c *gin.Context, t *tenant.Tenant, f form, about string) (presented, error) {
	one, ok := checkFirst(t, f.Get("proof"), f.binding, about, u.Now())
	if !ok {
		return presented{entry: entry{problem: "code.late"}}, nil
	}
	e := entry{subject: one.subject, proof: f.Get("proof")}
	if strings.TrimSpace(f.Get("otp")) == "" {
		e.problem = "code.empty"
		return presented{entry: e}, nil
	}
	err := u.Accounts.CheckTOTP(ctx, t, one.subject, f.Get("otp"), account.Guesser{Address: address(c)})
	if errors.Is(err, account.ErrCode) {
		wire.EventOf(c).Fail(err)
		e.problem = "code.wrong"
		return presented{entry: e}, nil
	}
	if err != nil {
		return presented{}, err
	}
	l := loginBy(t, one.subject, tenant.AMRPassword, tenant.AMROTP)
	l.AuthTime = one.at // a code alone makes no password newer
	return presented{login: l}, nil
}

// loginBy is the login of a subject by those methods.
func loginBy(t *tenant.Tenant, sub string, amr ...string) session.Login {
	return session.Login{Subject: sub, AMR: amr, ACR: t.Settings.ReachedACR(amr, nil)}
}

// lacksCode reports whether all that the request lacks for going on with session who is a code, which its subject can give.
func (u *UI) lacksCode(c *gin.Context, t *tenant.Tenant, r *request.Request, who *session.Session, d authorize.Decision) (bool, error) {
	if who == nil || d.Outcome != authorize.NeedLogin || d.Why != "acr" && d.Why != "acr_values" || tenant.LevelOf(who.AMR) != 1 ||
		r.Prompt.Has(oauth.PromptLogin|oauth.PromptCreate|oauth.PromptSelectAccount) || t.Settings.Authorization.AlwaysPromptForAuth {
		return false, nil
	}
	wanted := append(append([]string{}, r.EssentialACR...), r.ACRValues...)
	for _, acr := range wanted {
		if t.Settings.AuthenticationLevel(acr) == 2 {
			return u.Accounts.HasTOTP(c.Request.Context(), t, who.Subject)
		}
	}
	return false, nil
}
