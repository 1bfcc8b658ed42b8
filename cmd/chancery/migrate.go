package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/chancery-id/chancery/migrations"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/persistence/sqlite"
)

// migrate is the command that migrates the database.
type migrate struct {
	Plan bool `help:"Only print what would be done, as SQL."`
}

// Run brings the database to the schema that this program needs, as serve does before it serves. It needs no
// key-encryption key. Of programs that start at once one migrates, and the others wait for it.
func (m migrate) Run(ctx context.Context, conf *config) error {
	if m.Plan {
		return plan(ctx, conf)
	}
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

// plan prints the migrations that the database lacks, with whether programs of earlier releases may go on serving.
func plan(ctx context.Context, conf *config) error {
	var steps []migrations.Step
	var err error
	if conf.DatabaseURL != "" {
		steps, err = postgres.Plan(ctx, postgres.Options{DSN: conf.DatabaseURL, ListenDSN: conf.ListenDatabaseURL})
	} else {
		steps, err = sqlite.Plan(ctx, filepath.Join(conf.Data, "chancery.db"))
	}
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		_, err = fmt.Fprintln(stdout, "-- nothing is to be done")
		return err
	}
	for _, s := range steps {
		beside := "programs of earlier releases go on serving"
		if s.Contracts {
			beside = "stop all programs of earlier releases first"
		}
		if _, err := fmt.Fprintf(stdout, "-- %04d %s: %s\n\n%s\n\n", s.Version, s.Name, beside, s.SQL); err != nil {
			return err
		}
	}
	return nil
}
