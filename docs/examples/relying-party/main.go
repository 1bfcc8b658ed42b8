// Command relying-party is a small OpenID Connect application. It signs people in at every demo tenant of a Chancery that
// make run started, and shows what it learned of them.
//
//	make run                              # in one terminal
//	go run ./docs/examples/relying-party  # in another; then open http://127.0.0.1:8765
//
// It uses the standard library alone, to show what a relying party has to do. An application of your own is better off
// with a certified library.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// address is where the demo clients' redirect URI points.
const address = "127.0.0.1:8765"

func main() {
	file := flag.String("bootstrap", "data/bootstrap.json", "what the server wrote on its first start")
	flag.Parse()
	providers, err := read(*file)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{providers: providers, attempts: map[string]attempt{}, http: &http.Client{Timeout: 10 * time.Second}, now: time.Now}
	server := &http.Server{Addr: address, Handler: a.routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.Background())
	}()
	fmt.Printf("Open http://%s\n", address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

// provider is one tenant as this application is registered there.
type provider struct {
	ID     string `json:"tenant_id"`
	Issuer string `json:"issuer"`
	Client struct {
		ID           string   `json:"client_id"`
		Secret       string   `json:"client_secret"`
		RedirectURIs []string `json:"redirect_uris"`
	} `json:"client"`
	User struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"user"`
}

// read returns the providers that the server's bootstrap file names.
func read(file string) ([]provider, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: start the server with make run first", err)
	}
	var b struct {
		Tenants []provider `json:"tenants"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b.Tenants, nil
}
