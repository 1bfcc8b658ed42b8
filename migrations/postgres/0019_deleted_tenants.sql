-- A tenant that was deleted stays for a while, disabled and unknown to everybody, so that it can be restored.

-- +goose Up

ALTER TABLE tenants ADD COLUMN deleted_at timestamptz;
ALTER TABLE tenants ADD COLUMN purge_at timestamptz; -- when it goes for good; of most, none
ALTER TABLE tenants ADD COLUMN was_enabled boolean NOT NULL DEFAULT false; -- before it was deleted
CREATE INDEX tenants_purge ON tenants (purge_at) WHERE purge_at IS NOT NULL;
