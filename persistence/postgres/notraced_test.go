//go:build !race

package postgres_test

// slower: nothing stands in the way.
const slower = 1
