-- Device authorizations (RFC 8628): authentications that are found by the code that their subject enters.

-- +goose Up

ALTER TABLE authentications ADD COLUMN user_code bytea; -- a MAC over it
CREATE UNIQUE INDEX authentications_user_code ON authentications (tenant_id, user_code) WHERE user_code IS NOT NULL;
