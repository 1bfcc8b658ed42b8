// Package check checks the chart beside it, in a module of its own so that the server's stays free of what that takes. It
// has tests only: they lint the chart with helm, render it for a table of values, decode each object strictly into
// Kubernetes' types, and hold the objects, alerts and dashboard to rules, each of which is seen to fail as well.
//
// The script .ci/helm installs helm, in the version that go.mod names, and runs them.
package check
