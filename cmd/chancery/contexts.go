package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/chancery-id/chancery/web/console"
)

// remote says at which server, and as whom, the administration is called.
type remote struct {
	Server    string `name:"server" env:"CHANCERY_SERVER" placeholder:"URL" help:"Server whose administration is called over HTTP, instead of the database beside this program."`
	Token     string `name:"token" env:"CHANCERY_TOKEN" placeholder:"TOKEN" help:"API token that opens it. As an argument others on this machine can read it: rather set the variable, or --token-file."`
	TokenFile string `name:"token-file" env:"CHANCERY_TOKEN_FILE" placeholder:"FILE" help:"File that holds the token; - for the standard input."`
	Context   string `name:"context" env:"CHANCERY_CONTEXT" placeholder:"NAME" help:"Server and token that login has kept under this name."`
}

// contextsFile is what login keeps.
type contextsFile struct {
	Current  string                 `yaml:"current,omitempty"`
	Contexts map[string]keptContext `yaml:"contexts"`
}

// keptContext is a server, and what opens its administration.
type keptContext struct {
	Server string `yaml:"server"`
	Token  string `yaml:"token"`
	// Of a person who signed in: by what to go on once the token has expired, and where.
	Refresh       string `yaml:"refresh_token,omitempty"`
	TokenEndpoint string `yaml:"token_endpoint,omitempty"`
}

// contextsPath is where contexts are kept: CHANCERY_CONFIG, or config.yaml in the user's directory for configuration.
func contextsPath() (string, error) {
	if file := os.Getenv("CHANCERY_CONFIG"); file != "" {
		return file, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "chancery", "config.yaml"), nil
}

// readContexts returns what is kept, which may be nothing.
func readContexts() (*contextsFile, error) {
	kept := &contextsFile{Contexts: map[string]keptContext{}}
	file, err := contextsPath()
	if err != nil {
		return kept, nil // nobody is at home here
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err == nil {
		err = yaml.UnmarshalWithOptions(text, kept, yaml.Strict())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return kept, nil
}

// write keeps the contexts, for the user alone to read. Whoever reads meanwhile finds the file as it was, or as it is now.
func (k *contextsFile) write() error {
	file, err := contextsPath()
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(k)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".config-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(text); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

// open returns the administration that is meant, and what ends its use: that of the server that is named, else of the
// context that is, else of the database that is, else of the context that login left, else of the database in ./data.
func (c *config) open(ctx context.Context) (*api, func() error, error) {
	kept, err := readContexts()
	if err != nil {
		return nil, nil, err
	}
	name := c.Context
	if name == "" && !c.here {
		name = kept.Current
	}
	switch {
	case c.Server != "" && c.Context != "":
		return nil, nil, usage("--server and --context exclude each other")
	case c.Server == "" && name == "":
		if c.Token != "" || c.TokenFile != "" {
			return nil, nil, usage("a token opens the administration of a server: name it with --server")
		}
		return c.beside(ctx)
	}
	at := keptContext{Server: c.Server}
	if c.Server == "" {
		var ok bool
		if at, ok = kept.Contexts[name]; !ok {
			return nil, nil, usage("there is no context %q: make it with chancery login --name %s", name, name)
		}
	}
	if token, err := c.bearer(); err != nil {
		return nil, nil, err
	} else if token != "" {
		at.Token, at.Refresh = token, ""
	}
	if at.Token == "" {
		return nil, nil, usage("no token opens %s: set CHANCERY_TOKEN, or name a file with --token-file", at.Server)
	}
	a, err := newRemote(at.Server, at.Token, c.ExtraCA)
	if err == nil && at.Refresh != "" {
		a.renew = func(ctx context.Context) (string, error) { return a.goOn(ctx, name, at) }
	}
	return a, func() error { return nil }, err
}

// goOn gets a person another token, and keeps what it came with. Another process may have done so before: then that counts.
func (a *api) goOn(ctx context.Context, name string, at keptContext) (string, error) {
	kept, err := readContexts()
	if err != nil {
		return "", err
	}
	if now, ok := kept.Contexts[name]; ok && now.Refresh != "" && now.Token != at.Token {
		return now.Token, nil
	}
	in, err := a.redeem(ctx, at.TokenEndpoint, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {at.Refresh}, "resource": {a.server.String() + "/admin/v1"}})
	if err != nil {
		return "", errors.Join(usageLogin, err)
	}
	at.Token, at.Refresh = in.Access, cmp.Or(in.Refresh, at.Refresh)
	kept.Contexts[name] = at
	return in.Access, kept.write()
}

// usageLogin is told where a person has to sign in anew.
var usageLogin = &problem{Status: http.StatusUnauthorized, Detail: "you are not signed in any more: use chancery login"}

// beside opens the administration over the database beside this program.
func (c *config) beside(ctx context.Context) (*api, func() error, error) {
	a, err := c.openApp(ctx)
	if err != nil {
		return nil, nil, err
	}
	local, err := a.local(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, a.close())
	}
	return local, a.close, nil
}

// bearer is the token that is named, or none.
func (c *remote) bearer() (string, error) {
	if c.TokenFile == "" {
		return c.Token, nil
	}
	if c.Token != "" {
		return "", usage("--token and --token-file exclude each other")
	}
	return tokenFrom(c.TokenFile)
}

// tokenFrom reads a token from a file, or for - the standard input.
func tokenFrom(file string) (string, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(stdin, 64<<10))
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", errors.New("the file of the token does not hold one, and nothing else")
	}
	return token, nil
}

// loginCommand keeps a server and a token.
type loginCommand struct {
	Name      string `default:"default" help:"Name of the context."`
	Device    bool   `help:"Sign in with a browser elsewhere, by a code."`
	NoBrowser bool   `name:"no-browser" help:"Show the address to sign in at, and open no browser."`
	output
}

// signIn lets a person sign in.
func (l *loginCommand) signIn(ctx context.Context, a *api) (keptContext, error) {
	p, err := a.platformOf(ctx)
	if err != nil {
		return keptContext{}, err
	}
	var in *signedIn
	if l.Device {
		in, err = a.withDevice(ctx, p, showCode)
	} else {
		in, err = a.withBrowser(ctx, p, func(at string) { openBrowser(at, !l.NoBrowser) })
	}
	if err != nil {
		return keptContext{}, err
	}
	a.token = in.Access
	return keptContext{Server: a.server.String(), Token: in.Access, Refresh: in.Refresh, TokenEndpoint: p.Token}, nil
}

// Run asks the server who the token is, and keeps both where it knows it. With no token a person signs in.
func (l *loginCommand) Run(ctx context.Context, conf *config) error {
	if conf.Server == "" {
		return usage("name the server with --server")
	}
	token, err := conf.bearer()
	if err != nil {
		return err
	}
	if token != "" && l.Device {
		return usage("--device is for a person, who has no token yet")
	}
	a, err := newRemote(conf.Server, token, conf.ExtraCA)
	if err != nil {
		return err
	}
	keep := keptContext{Server: a.server.String(), Token: token}
	if token == "" {
		if keep, err = l.signIn(ctx, a); err != nil {
			return err
		}
	}
	who, err := a.ask(ctx, &performed{of: operationNamed("whoami")})
	if err != nil {
		return err
	}
	kept, err := readContexts()
	if err != nil {
		return err
	}
	kept.Contexts[l.Name], kept.Current = keep, l.Name
	if err := kept.write(); err != nil {
		return err
	}
	var person struct {
		Principal string
		Roles     []string
	}
	if err := json.Unmarshal(who, &person); err == nil && len(person.Roles) == 0 {
		fmt.Fprintf(os.Stderr, "You have no role at the platform. An owner gives you one with: chancery administrator set platform %s --role auditor\n", plain(person.Principal))
	}
	return l.object(who, nil, nil)
}

// logoutCommand forgets a context.
type logoutCommand struct {
	Name string `arg:"" optional:"" help:"Name of the context; the current one by default."`
}

// Run forgets it. An API token stays what it is: it is revoked with token revoke. What a person signed in for ends.
func (l *logoutCommand) Run(ctx context.Context, conf *config) error {
	kept, err := readContexts()
	if err != nil {
		return err
	}
	name := l.Name
	if name == "" {
		name = kept.Current
	}
	at, ok := kept.Contexts[name]
	if !ok {
		return usage("there is no context %q, of %s", name, strings.Join(slices.Sorted(maps.Keys(kept.Contexts)), ", "))
	}
	delete(kept.Contexts, name)
	if kept.Current == name {
		kept.Current = ""
	}
	if err := kept.write(); err != nil || at.Refresh == "" {
		return err
	}
	a, err := newRemote(at.Server, at.Token, conf.ExtraCA)
	if err != nil {
		return err
	}
	return a.revoke(ctx, at)
}

// operationNamed returns the operation of that name, or nil.
func operationNamed(name string) *console.Operation {
	all := operations()
	i := slices.IndexFunc(all, func(o console.Operation) bool { return o.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}
