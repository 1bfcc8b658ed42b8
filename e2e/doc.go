// Package e2e looks at the server from outside: it starts the real binary, on each engine, and uses it as relying
// parties, login UIs, browsers and operators do. It imports nothing of the server.
package e2e
