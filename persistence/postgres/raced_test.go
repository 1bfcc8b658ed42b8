//go:build race

package postgres_test

// slower is how much longer everything takes under the race detector.
const slower = 5
