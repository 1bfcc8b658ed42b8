// Package outbound is the one HTTP client for URLs that tenants or clients supply: key sets, request objects,
// notifications, webhooks. Such a URL is a stranger's. It must not reach what only this machine can reach, hold up what
// others wait for, or tell its author anything about our network. The package knows no tenant and no request.
package outbound
