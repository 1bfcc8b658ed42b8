package main

import (
	"context"
	"fmt"
)

// migrate is the command that migrates the database.
type migrate struct{}

// Run brings the database to the schema that this program needs, as serve does before it serves. It needs no
// key-encryption key. Of programs that start at once one migrates, and the others wait for it.
func (migrate) Run(ctx context.Context, conf *config) error {
	db, err := openDatabase(ctx, conf, nil, false) // nothing is sealed or unsealed
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Ping(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, "the database is migrated")
	return err
}
