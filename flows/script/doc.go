// Package script asks a tenant's own code what is the tenant's to decide. Whoever asks hands over an Event and gets an
// Outcome; docs/hooks.md is the contract. Whatever fails denies: an event that could not be put, or was answered with what
// makes no sense, is an error and never an Outcome.
package script
