-- Administrators sign in at the platform, also from terminals without a browser (RFC 8628). A platform that is made from now
-- on has that from the beginning.

-- +goose Up

SET LOCAL ROLE chancery_system; -- row level security binds the owner of the table too
UPDATE tenants SET settings = jsonb_set(settings, '{device}', COALESCE(settings->'device', '{}'::jsonb) || '{"enabled": true}'::jsonb)
	WHERE tenant_id = 'platform';
RESET ROLE;
