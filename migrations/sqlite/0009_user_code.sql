-- The code by which a user lets clients ask for it (CIBA Core §7.1, user_code).

-- +goose Up

ALTER TABLE accounts ADD COLUMN user_code_hash TEXT NOT NULL DEFAULT '';
