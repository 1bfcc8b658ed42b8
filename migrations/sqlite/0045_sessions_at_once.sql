-- Sessions of one subject that begin at the same time wait for each other here anyway.

-- +goose Up

SELECT 1;
