package sqlite_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// What is sent is sealed where it is stored, and bound to its place: moved to another message it does not open, holds up
// nothing, and can be listed and taken out.
func TestMessagesAreSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chancery.db")
	db, now := open(t, path), time.Now()
	for _, id := range []string{"a", "b", "c"} {
		m := outbox.Message{ID: id, Kind: "test", Target: "https://rp.example/", CreatedAt: now,
			Content: outbound.Content{Authorization: "Bearer marked", Body: []byte("marked " + id)}}
		if err := db.Owe(t.Context(), "acme", m); err != nil {
			t.Fatal(err)
		}
	}
	behind, err := sql.Open("sqlite", "file:"+path+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	var sealed []byte
	if err := behind.QueryRow(`SELECT sealed FROM outbox WHERE id = 'a'`).Scan(&sealed); err != nil || len(sealed) == 0 || bytes.Contains(sealed, []byte("marked")) {
		t.Errorf("stored as %q, %v", sealed, err)
	}
	if _, err := behind.Exec(`UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE id = 'a') WHERE id = 'b'`); err != nil {
		t.Fatal(err)
	}
	ms, err := db.Lease(t.Context(), "acme", now, now.Add(time.Minute), 10, nil)
	if err != nil || len(ms) != 2 {
		t.Fatalf("%+v, %v", ms, err)
	}
	for _, m := range ms {
		if m.ID == "b" || string(m.Content.Body) != "marked "+m.ID || m.Content.Authorization != "Bearer marked" {
			t.Errorf("%+v", m)
		}
	}
	if all, err := db.Messages(t.Context(), "acme", false, "", 10); err != nil || len(all) != 3 || all[1].Content.Body != nil {
		t.Errorf("listed: %+v, %v", all, err)
	}
}
