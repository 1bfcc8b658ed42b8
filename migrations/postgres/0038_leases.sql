-- Whose turn it is to keep the house: of all instances one does each work at a time, and any may die.

-- +goose Up

CREATE TABLE leases (
	leased_until timestamptz NOT NULL,
	tenant_id    text COLLATE "C" NOT NULL,
	work         text COLLATE "C" NOT NULL,
	holder       text NOT NULL,
	PRIMARY KEY (tenant_id, work)
);

ALTER TABLE leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE leases FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON leases TO chancery_app USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY every_tenant ON leases TO chancery_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO chancery_app, chancery_system;
