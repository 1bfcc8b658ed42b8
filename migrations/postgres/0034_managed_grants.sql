-- Grants that clients manage (Grant Management for OAuth 2.0): those of one id are one agreement, of which the newest says what it is.

-- +goose Up

ALTER TABLE grants ADD COLUMN managed text COLLATE "C" NOT NULL DEFAULT ''; -- the id that the client knows; empty: it is not managed
CREATE INDEX grants_managed ON grants (managed, tenant_id) WHERE managed <> '';
