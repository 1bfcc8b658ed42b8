package console

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/account"
)

// newUser is the body that creates a user.
type newUser struct {
	Username     string                     `json:"username" need:"yes"`
	Password     string                     `json:"password"`
	PasswordHash string                     `json:"password_hash" doc:"Of a password kept elsewhere: argon2id, scrypt or PBKDF2 in PHC form, bcrypt, or PBKDF2 or scrypt as Passlib, Django and Werkzeug write them. It is replaced by ours at the first sign-in"`
	Claims       map[string]json.RawMessage `json:"claims" doc:"OIDC Core, section 5.1"`
}

// shownUser is a user as an administrator sees it.
type shownUser struct {
	Subject     string                     `json:"sub"`
	Username    string                     `json:"username"`
	Enabled     bool                       `json:"enabled"`
	HasPassword bool                       `json:"has_password"`
	HasUserCode bool                       `json:"has_user_code"`
	Claims      map[string]json.RawMessage `json:"claims"`
	CreatedAt   time.Time                  `json:"created_at"`
	UpdatedAt   time.Time                  `json:"updated_at"`
}

func shownUserOf(a account.Account, err error) (shownUser, error) {
	if a.Claims == nil {
		a.Claims = map[string]json.RawMessage{}
	}
	return shownUser{Subject: a.Subject, Username: a.Username, Enabled: !a.Disabled, HasPassword: a.PasswordHash != "", HasUserCode: a.UserCodeHash != "", Claims: a.Claims,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}, err
}

// userList is a page of users. Next is absent on the last one.
type userList struct {
	Users []shownUser `json:"users"`
	Next  string      `json:"next_cursor,omitempty"`
}

func (d *Door) listUsers(q *call) (*userList, error) {
	n, err := limitOf(q.query)
	if err != nil {
		return nil, err
	}
	if name := q.query.Get("username"); name != "" {
		return d.usersNamed(q, name)
	}
	list := "users\x00" + string(q.id)
	after, err := afterOf(q.home, list, q.query)
	if err != nil {
		return nil, err
	}
	as, err := d.Console.Users(q.Request.Context(), q.id, after, n+1)
	if err != nil {
		return nil, err
	}
	page := &userList{Users: []shownUser{}}
	for _, a := range as[:min(n, len(as))] {
		u, _ := shownUserOf(a, nil)
		page.Users = append(page.Users, u)
	}
	if len(as) > n {
		page.Next = cursor(q.home, list, as[n-1].Subject)
	}
	return page, nil
}

// usersNamed is the one user of a name, or none.
func (d *Door) usersNamed(q *call, name string) (*userList, error) {
	page := &userList{Users: []shownUser{}}
	a, err := d.Console.UserNamed(q.Request.Context(), q.id, name)
	if a != nil {
		u, _ := shownUserOf(*a, nil)
		page.Users = append(page.Users, u)
	}
	return page, err
}

func (d *Door) createUser(q *call, b *newUser) (shownUser, error) {
	return shownUserOf(d.Console.CreateUser(q.Request.Context(), q.id, admin.NewUser(*b), q.by))
}

// newUserImport is the body that brings users who were kept elsewhere.
type newUserImport struct {
	Users []newImportedUser `json:"users" need:"yes" doc:"1 to 1,000 of them; all are recorded, or none"`
}

// newImportedUser is one of them.
type newImportedUser struct {
	Username     string                     `json:"username" need:"yes"`
	PasswordHash string                     `json:"password_hash" doc:"As that of a user who is created; without it the user cannot sign in with a password"`
	Claims       map[string]json.RawMessage `json:"claims" doc:"OIDC Core, section 5.1"`
	Enabled      *bool                      `json:"enabled" doc:"True unless it is said; a user who is disabled cannot sign in"`
}

// importedUsers is the answer to it, in the order of the body.
type importedUsers struct {
	Users []importedSubject `json:"users"`
}

type importedSubject struct {
	Subject  string `json:"sub"`
	Username string `json:"username"`
}

func (b *newUserImport) accounts() []account.Imported {
	ns := make([]account.Imported, len(b.Users))
	for i, u := range b.Users {
		ns[i] = account.Imported{Username: u.Username, PasswordHash: u.PasswordHash, Claims: u.Claims, Disabled: u.Enabled != nil && !*u.Enabled}
	}
	return ns
}

// judge adds to what could not be read what is wrong with the rest.
func (b *newUserImport) judge(d *Door, q *call, misread error) error {
	if e, ok := errors.AsType[*admin.Invalid](misread); ok {
		return d.Console.CheckUsers(q.Request.Context(), q.id, b.accounts(), e.Fields)
	}
	return misread
}

func (d *Door) importUsers(q *call, b *newUserImport) (importedUsers, error) {
	as, err := d.Console.ImportUsers(q.Request.Context(), q.id, b.accounts(), q.by)
	out := importedUsers{Users: make([]importedSubject, len(as))}
	for i, a := range as {
		out.Users[i] = importedSubject{a.Subject, a.Username}
	}
	return out, err
}

func (d *Door) readUser(q *call) (shownUser, error) {
	return shownUserOf(d.Console.User(q.Request.Context(), q.id, q.Param("sub")))
}

// userPatch is the body that changes a user. Claims replace all of them.
type userPatch struct {
	Username *string                    `json:"username"`
	Claims   map[string]json.RawMessage `json:"claims" doc:"They replace all that there are"`
	Enabled  *bool                      `json:"enabled" doc:"A user who is disabled loses sessions and grants, and cannot sign in"`
}

func (d *Door) patchUser(q *call, b *userPatch) (shownUser, error) {
	var disabled *bool
	if b.Enabled != nil {
		disabled = new(!*b.Enabled)
	}
	return shownUserOf(d.Console.ChangeUser(q.Request.Context(), q.id, q.Param("sub"), account.Change{Username: b.Username, Claims: b.Claims}, disabled, q.by))
}

// newPassword is the body that sets a password.
type newPassword struct {
	Password string `json:"password" need:"yes" doc:"Empty: the user has none any more"`
}

func (d *Door) putPassword(q *call, b *newPassword) (none, error) {
	return none{}, d.Console.SetUserPassword(q.Request.Context(), q.id, q.Param("sub"), b.Password, q.by)
}

// newUserCode is the body that sets a user code.
type newUserCode struct {
	UserCode string `json:"user_code" need:"yes" doc:"4 to 64 characters, which clients must send to ask for the user by backchannel authentication. Empty: the user has none any more"`
}

func (d *Door) putUserCode(q *call, b *newUserCode) (none, error) {
	return none{}, d.Console.SetUserCode(q.Request.Context(), q.id, q.Param("sub"), b.UserCode, q.by)
}

func (d *Door) deleteUser(q *call) (none, error) {
	return none{}, d.Console.DeleteUser(q.Request.Context(), q.id, q.Param("sub"), q.by)
}
