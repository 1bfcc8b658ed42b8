// Command mcp-server is a small server of the Model Context Protocol that only people of one Chancery tenant may use. It
// tells a client without a token where to get one (RFC 9728), and asks the tenant about each token that it is shown
// (RFC 7662). It offers one tool, which greets whoever calls it.
//
//	go run ./docs/examples/mcp-server -issuer http://127.0.0.1:8080/t/acme -name tools
//
// The tenant knows the resource by that name, and this server as a client that may introspect its tokens: docs/mcp.md.
// It uses the standard library alone.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	address := flag.String("listen", "127.0.0.1:9100", "where to listen")
	issuer := flag.String("issuer", "", "issuer of the tenant")
	name := flag.String("name", "tools", "name of this resource in the tenant's settings")
	client := flag.String("client", "", "client id to introspect with; its secret is in CLIENT_SECRET")
	flag.Parse()
	s := &server{issuer: *issuer, name: *name, resource: "http://" + *address + "/mcp", client: *client, secret: os.Getenv("CLIENT_SECRET"),
		http: &http.Client{Timeout: 10 * time.Second}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mcp", s.serve)
	web := &http.Server{Addr: *address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	fmt.Printf("Serving %s\n", s.resource)
	log.Fatal(web.ListenAndServe())
}

type server struct {
	issuer, name, resource string
	client, secret         string
	http                   *http.Client
}

// scope is what a caller needs.
const scope = "tools"

// token is what the tenant says of an access token.
type token struct {
	Active   bool     `json:"active"`
	Subject  string   `json:"sub"`
	Client   string   `json:"client_id"`
	Scope    string   `json:"scope"`
	Audience audience `json:"aud"`
}

// audience is a string, or an array of strings.
type audience []string

// UnmarshalJSON reads both forms.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// caller returns whose token the request carries. A token for another audience is none: it was meant for somebody else.
func (s *server) caller(r *http.Request) (t token, problem string, err error) {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || bearer == "" {
		return t, "", nil
	}
	q, err := http.NewRequestWithContext(r.Context(), http.MethodPost, s.issuer+"/token/introspect", strings.NewReader(url.Values{"token": {bearer}}.Encode()))
	if err != nil {
		return t, "", err
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.SetBasicAuth(url.QueryEscape(s.client), url.QueryEscape(s.secret))
	w, err := s.http.Do(q)
	if err != nil {
		return t, "", err
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusOK {
		return t, "", fmt.Errorf("introspection answered %s", w.Status)
	}
	if err := json.NewDecoder(w.Body).Decode(&t); err != nil {
		return t, "", err
	}
	switch {
	case !t.Active || !slices.Contains(t.Audience, s.resource):
		return t, "invalid_token", nil
	case !slices.Contains(strings.Fields(t.Scope), scope):
		return t, "insufficient_scope", nil
	}
	return t, "", nil
}

// message is a request of JSON-RPC 2.0.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name string `json:"name"`
	} `json:"params"`
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	t, problem, err := s.caller(r)
	switch {
	case err != nil:
		log.Print(err)
		http.Error(w, "tokens cannot be checked just now", http.StatusServiceUnavailable)
		return
	case t.Subject == "" || problem != "":
		challenge := `Bearer resource_metadata="` + s.issuer + "/.well-known/oauth-protected-resource/" + s.name + `", scope="` + scope + `"`
		status := http.StatusUnauthorized
		if problem != "" {
			challenge += `, error="` + problem + `"`
		}
		if problem == "insufficient_scope" {
			status = http.StatusForbidden
		}
		w.Header().Set("WWW-Authenticate", challenge)
		http.Error(w, "an access token is required", status)
		return
	}
	var m message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&m); err != nil {
		http.Error(w, "no request of JSON-RPC", http.StatusBadRequest)
		return
	}
	if m.ID == nil { // a notification
		w.WriteHeader(http.StatusAccepted)
		return
	}
	answer := map[string]any{"jsonrpc": "2.0", "id": m.ID}
	if result, err := call(m, t); err != nil {
		answer["error"] = map[string]any{"code": -32601, "message": err.Error()}
	} else {
		answer["result"] = result
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// call does what a message asks for.
func call(m message, by token) (any, error) {
	switch {
	case m.Method == "initialize":
		return map[string]any{"protocolVersion": "2025-06-18", "capabilities": map[string]any{"tools": map[string]any{}},
			"serverInfo": map[string]any{"name": "greeter", "version": "1"}}, nil
	case m.Method == "tools/list":
		return map[string]any{"tools": []any{map[string]any{"name": "greet", "description": "Greets whoever calls it",
			"inputSchema": map[string]any{"type": "object"}}}}, nil
	case m.Method == "tools/call" && m.Params.Name == "greet":
		return map[string]any{"content": []any{map[string]any{"type": "text", "text": "Hello, " + by.Subject + ", who came by " + by.Client}}}, nil
	}
	return nil, errors.New("there is no such method")
}
