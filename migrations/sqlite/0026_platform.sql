-- Administrators sign in at the platform, also from terminals without a browser (RFC 8628). A platform that is made from now
-- on has that from the beginning.

-- +goose Up

UPDATE tenants SET settings = json_patch(settings, '{"device": {"enabled": true}}') WHERE tenant_id = 'platform';
