-- Whose turn it is to keep the house: of all instances one does each work at a time, and any may die.

-- +goose Up

CREATE TABLE leases (
	tenant_id    TEXT NOT NULL,
	work         TEXT NOT NULL,
	holder       TEXT NOT NULL,
	leased_until DATETIME NOT NULL,
	PRIMARY KEY (tenant_id, work)
);
