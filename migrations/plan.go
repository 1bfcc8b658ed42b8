package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Step is a migration that a database lacks.
type Step struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	// Contracts: programs of earlier releases cannot use the database any more once it is done, so that it may only run
	// when none is left. All other steps run while they serve.
	Contracts bool   `json:"contracts"`
	SQL       string `json:"sql"`
}

// annotation is a line that speaks to the machinery.
var annotation = regexp.MustCompile(`(?m)^-- \+goose .*\n`)

// Plan returns what up would do to db, in order, and changes nothing. engine is postgres or sqlite.
func Plan(ctx context.Context, db *sql.DB, engine string) ([]Step, error) {
	have, _ := versions(ctx, db)
	entries, err := fs.ReadDir(files, engine)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, e := range entries {
		number, name, _ := strings.Cut(strings.TrimSuffix(e.Name(), ".sql"), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migrations: %s: %w", e.Name(), err)
		}
		if v <= have {
			continue
		}
		b, err := fs.ReadFile(files, engine+"/"+e.Name())
		if err != nil {
			return nil, err
		}
		_, text, _ := strings.Cut(string(b), "-- +goose Up")
		text, _, _ = strings.Cut(text, "-- +goose Down")
		text = annotation.ReplaceAllString(text, "")
		steps = append(steps, Step{v, strings.ReplaceAll(name, "_", " "), have > 0 && strings.Contains(text, "UPDATE schema_floor"), strings.TrimSpace(text)})
	}
	slices.SortFunc(steps, func(a, b Step) int { return int(a.Version - b.Version) })
	return steps, nil
}
