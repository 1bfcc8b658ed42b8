// Package script asks a tenant's own code what is the tenant's to decide. Whoever asks hands over an Event and gets an
// Outcome; docs/hooks.md is the contract. The code is a signed Webhook, or JavaScript that runs in worker processes of this
// program (docs/scripts.md). Whatever fails denies: an event that could not be put, or was answered with what makes no sense,
// is an error and never an Outcome.
//
// A worker is trusted with nothing. It has two pipes and no other way to the world, it runs a script in a runtime that is made
// for one call, and the server ends it when it takes too long. What a script asks for is done by the server, for the tenant and
// the request of the call that the server put, whatever the worker says.
package script
