-- The embedded database needs nothing for this: see the other engine's file.

-- +goose Up

SELECT 1;
