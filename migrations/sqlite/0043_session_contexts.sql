-- What a subject session is used in: a browser (empty), or something else, in whose place it is of no use.

-- +goose Up

ALTER TABLE sessions ADD COLUMN ctx TEXT NOT NULL DEFAULT '';
