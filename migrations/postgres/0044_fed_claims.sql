-- Claims that an opaque access token was fed when it was issued, as a JWT carries them.

-- +goose Up

ALTER TABLE access_tokens ADD COLUMN fed json;
