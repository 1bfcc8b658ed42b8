-- What access tokens allow in detail (RFC 9396).

-- +goose Up

ALTER TABLE access_tokens ADD COLUMN details TEXT;
