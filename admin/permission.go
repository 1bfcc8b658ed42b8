package admin

import "slices"

// Permission is one thing that an administrator may do.
type Permission string

// The permissions. Those on tenants are the platform's to give: they are about which tenants there are.
const (
	ListTenants   Permission = "tenants:list"
	CreateTenants Permission = "tenants:create"
	EnableTenants Permission = "tenants:enable" // and disable
	DeleteTenants Permission = "tenants:delete" // and undo it
	ReadTenant    Permission = "tenant:read"    // with its settings
	WriteTenant   Permission = "tenant:write"
	ReadKeys      Permission = "keys:read"
	WriteKeys     Permission = "keys:write"
	ReadClients   Permission = "clients:read"
	WriteClients  Permission = "clients:write"
	ReadUsers     Permission = "users:read"
	WriteUsers    Permission = "users:write"
	ReadSessions  Permission = "sessions:read" // and grants
	WriteSessions Permission = "sessions:write"
	ReadTokens    Permission = "tokens:read" // API tokens
	WriteTokens   Permission = "tokens:write"
	ReadAccess    Permission = "access:read" // roles, and who has them
	WriteAccess   Permission = "access:write"
	ReadAudit     Permission = "audit:read"
	ReadUsage     Permission = "usage:read"
	ReadWebhooks  Permission = "webhooks:read" // and what is owed to them
	WriteWebhooks Permission = "webhooks:write"
	ReadScripts   Permission = "scripts:read" // and what they wrote
	WriteScripts  Permission = "scripts:write"
)

// ofTenants are the permissions that concern one tenant, which its own roles may have.
var ofTenants = []Permission{ReadTenant, WriteTenant, ReadKeys, WriteKeys, ReadClients, WriteClients, ReadUsers, WriteUsers,
	ReadSessions, WriteSessions, ReadTokens, WriteTokens, ReadAccess, WriteAccess, ReadAudit, ReadUsage, ReadWebhooks, WriteWebhooks, ReadScripts, WriteScripts}

// ofPlatform are those besides that only the platform's roles may have.
var ofPlatform = []Permission{ListTenants, CreateTenants, EnableTenants, DeleteTenants}

// reading are the permissions of who only looks.
var reading = []Permission{ReadTenant, ReadKeys, ReadClients, ReadUsers, ReadSessions, ReadTokens, ReadAccess, ReadAudit, ReadUsage, ReadWebhooks, ReadScripts}

// Permissions returns all permissions that roles may have: those of the platform's, or those of a tenant's.
func Permissions(platform bool) []Permission {
	if platform {
		return slices.Concat(ofPlatform, ofTenants)
	}
	return slices.Clone(ofTenants)
}

// Domain is what a permission is about, seen from the tenant whose roles give it.
type Domain string

// The domains of casbin's model.
const (
	OnPlatform Domain = "platform" // the platform itself, and which tenants there are
	OnTenant   Domain = "tenant"   // a tenant: the role's own, or for the platform's roles any
)
