package script

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// Version is one version of a tenant's script. It never changes; which one runs is a setting (tenant.Script).
type Version struct {
	Script string // its name
	Number int64  // from 1
	Source string // not read with lists
	Digest string // of the source
	Size   int    // of the source, in bytes
	Note   string
	At     time.Time
	By     string
}

// Digest is the digest of a source by which it is known: SHA-256 in base64url.
func Digest(source string) string {
	h := sha256.Sum256([]byte(source))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// SecretInfo is what is told of a secret that a tenant's scripts may read.
type SecretInfo struct {
	Name string
	At   time.Time // when it was set
}

// Entry is one line of the log of a tenant's scripts.
type Entry struct {
	Seq     int64 // of the line, among those of its tenant
	At      time.Time
	Script  string
	Version int64
	Line
}

// What a tenant may have at most.
const (
	MaxScripts   = 50
	KeptVersions = 50 // of a script, beside those that are named in the settings
	MaxSecrets   = 50
	KeptEntries  = 5000
	EntriesKept  = 7 * 24 * time.Hour
)

// What a Store says.
var (
	ErrNotFound = errors.New("script: no such script, version or secret")
	ErrConflict = errors.New("script: there is a newer version, or the script is in use")
	ErrFull     = errors.New("script: the tenant has as many as it may")
)

// Store keeps scripts, their secrets and their log. Each method is one atomic effect.
type Store interface {
	// PutVersion records a version, and forgets the oldest of more than KeptVersions but for those to be kept. ErrConflict
	// where its number is not the next one, ErrFull where it is the first of one script too many.
	PutVersion(ctx context.Context, t tenant.ID, v Version, keep []int64, ev audit.Event) error
	// Version returns a version with its source, the newest where number is zero, or ErrNotFound.
	Version(ctx context.Context, t tenant.ID, script string, number int64) (*Version, error)
	// Versions lists the versions of a script before that number (zero: all), newest first, at most n.
	Versions(ctx context.Context, t tenant.ID, script string, before int64, n int) ([]Version, error)
	// Scripts lists the newest version of each script, by name.
	Scripts(ctx context.Context, t tenant.ID) ([]Version, error)
	// DeleteScript removes all versions of a script, or ErrNotFound.
	DeleteScript(ctx context.Context, t tenant.ID, script string, ev audit.Event) error

	// PutSecret records a secret, in place of the one of that name. ErrFull where it is one too many.
	PutSecret(ctx context.Context, t tenant.ID, name string, value []byte, ev audit.Event) error
	// Secret returns the value of a secret, or ErrNotFound.
	Secret(ctx context.Context, t tenant.ID, name string) ([]byte, error)
	// Secrets lists the secrets by name.
	Secrets(ctx context.Context, t tenant.ID) ([]SecretInfo, error)
	// DropSecret removes a secret, or ErrNotFound.
	DropSecret(ctx context.Context, t tenant.ID, name string, ev audit.Event) error

	// Log writes entries, in their order, and forgets the oldest of more than KeptEntries. It returns no error where the tenant
	// is gone.
	Log(ctx context.Context, t tenant.ID, entries []Entry) error
	// Entries lists the log before that line (zero: all), newest first, of one script or of all, at most n.
	Entries(ctx context.Context, t tenant.ID, script string, before int64, n int) ([]Entry, error)
}
