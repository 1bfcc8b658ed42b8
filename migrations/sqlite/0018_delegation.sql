-- Who acts for the subject of an access token, and who may (RFC 8693 §4.1, §4.4).

-- +goose Up

ALTER TABLE access_tokens ADD COLUMN delegation TEXT;
