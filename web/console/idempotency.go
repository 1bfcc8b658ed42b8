package console

import (
	"encoding/json"
	"regexp"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// keyHeader names a call that may be repeated without being carried out twice.
const keyHeader = "Idempotency-Key"

var keyForm = regexp.MustCompile(`^[!-~]{1,255}$`)

var errKey = oauth.InvalidRequest("The Idempotency-Key header must be 1 to 255 visible ASCII characters, once")

// subject is what bodies are about where the path names no tenant.
type subject interface{ about() tenant.ID }

func (b *newTenant) about() tenant.ID { return tenant.ID(b.ID) }

// once carries out a call with an idempotency key, or repeats what it was answered with.
func (d *Door) once(r *route, q *call, body any) (any, error) {
	keys := q.Request.Header.Values(keyHeader)
	if len(keys) != 1 || !keyForm.MatchString(keys[0]) {
		return nil, errKey
	}
	id := q.id
	if s, ok := body.(subject); ok {
		id = s.about()
	}
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request := append([]byte(r.method+" "+q.Request.URL.Path+"\x00"), sent...)
	a, replayed, err := d.Console.Once(q.Request.Context(), id, keys[0], request, q.by, func(by admin.By) (admin.Answer, error) {
		q.by = by
		answer, err := r.run(d, q, body)
		if err != nil {
			return admin.Answer{}, err
		}
		text, err := json.Marshal(answer)
		return admin.Answer{Status: r.status, Location: q.Writer.Header().Get("Location"), Body: text}, err
	})
	if err != nil {
		return nil, err
	}
	if replayed {
		q.Header("Idempotent-Replayed", "true")
		if a.Location != "" {
			q.Header("Location", a.Location)
		}
	}
	return json.RawMessage(a.Body), nil
}
