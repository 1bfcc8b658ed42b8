// Package faults breaks a deployment on purpose. Three replicas behind a small reverse proxy serve a mixed load of
// fifty tenants on a PostgreSQL cluster of their own, while one thing after the other fails; what was answered is then
// judged: nothing acknowledged is lost, nothing one-time is used twice, no revocation is undone, no answer is wrong or of
// another tenant, and all is well again within ten seconds. It drives the binary from outside and imports nothing of it.
package faults
