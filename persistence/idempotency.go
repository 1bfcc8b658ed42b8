package persistence

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// once lets the effect be made once for a key: of two, one fails as a whole.
func (e *effect) once(o *audit.Once) {
	e.insert("idempotency (tenant_id, key, request, expires_at)", "", o.Key, o.Request, cut(o.ExpiresAt))
}

// answerPlace binds a sealed answer to its tenant and key.
func answerPlace(t tenant.ID, key []byte) []byte {
	return fmt.Appendf(nil, "answer\x00%s\x00%x", t, key)
}

// Answered implements admin.Answers. What has expired is removed: its key may be used anew.
func (db *DB) Answered(ctx context.Context, id tenant.ID, key []byte, now time.Time) (*admin.Answer, error) {
	var a *admin.Answer
	var sealed []byte
	err := db.query(ctx, id, "read answer", `SELECT request, status, answer, expires_at FROM idempotency WHERE tenant_id = :t AND key = ?`,
		[]any{key}, func(scan scan) error {
			a = &admin.Answer{}
			var status *int
			return scan(&a.Request, &status, &sealed, when{&a.Until})
		})
	if err != nil || a == nil {
		return nil, err
	}
	if !now.Before(a.Until) {
		e := db.effect(id)
		e.then(`DELETE FROM idempotency WHERE tenant_id = :t AND key = ? AND expires_at <= ?`, key, cut(now))
		_, _, err := e.run(ctx, "forget answer")
		return nil, err
	}
	if sealed == nil {
		return a, nil
	}
	plain, err := db.sealer.Open(sealed, answerPlace(id, key))
	if err == nil {
		err = json.Unmarshal(plain, a)
	}
	return a, err
}

// PutAnswer implements admin.Answers.
func (db *DB) PutAnswer(ctx context.Context, id tenant.ID, key []byte, a admin.Answer) error {
	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	sealed, err := db.sealer.Seal(plain, answerPlace(id, key))
	if err != nil {
		return err
	}
	e := db.effect(id)
	e.then(`UPDATE idempotency SET status = ?, answer = ? WHERE tenant_id = :t AND key = ? AND answer IS NULL`, a.Status, sealed, key)
	_, _, err = e.run(ctx, "put answer")
	return err
}
