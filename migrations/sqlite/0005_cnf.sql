-- What access tokens, and lines of refresh tokens, are bound to (RFC 7800 §3.1).

-- +goose Up

ALTER TABLE access_tokens ADD COLUMN cnf TEXT;
ALTER TABLE grants ADD COLUMN refresh_cnf TEXT;
