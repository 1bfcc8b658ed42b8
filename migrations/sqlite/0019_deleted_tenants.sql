-- A tenant that was deleted stays for a while, disabled and unknown to everybody, so that it can be restored.

-- +goose Up

ALTER TABLE tenants ADD COLUMN deleted_at DATETIME;
ALTER TABLE tenants ADD COLUMN purge_at DATETIME; -- when it goes for good; of most, none
ALTER TABLE tenants ADD COLUMN was_enabled INTEGER NOT NULL DEFAULT 0; -- before it was deleted
CREATE INDEX tenants_purge ON tenants (purge_at) WHERE purge_at IS NOT NULL;
