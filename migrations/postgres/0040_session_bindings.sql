-- What a subject session is bound to, if anything: a key and a user agent, by their thumbprints.

-- +goose Up

ALTER TABLE sessions ADD COLUMN jkt text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN fpt text NOT NULL DEFAULT '';
