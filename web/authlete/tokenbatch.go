package authlete

import (
	"errors"
	"net/http"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/web/wire"
)

// tokenBatchAnswer names a batch.
type tokenBatchAnswer struct {
	result
	RequestID string `json:"requestId"`
}

// batchStatusAnswer tells what became of a batch.
type batchStatusAnswer struct {
	result
	Status batchStatus `json:"status"`
}

// batchStatus is what became of it. Times are milliseconds.
type batchStatus struct {
	Kind        string `json:"batchKind"`
	RequestID   string `json:"requestId"`
	Result      string `json:"result"`
	Count       int    `json:"tokenCount"`
	Code        string `json:"errorCode,omitempty"`
	Description string `json:"errorDescription,omitempty"`
	CreatedAt   int64  `json:"createdAt"`
	ModifiedAt  int64  `json:"modifiedAt"`
}

// tokenBatch makes the tokens that all of an array of requests ask for, or none. What became of them is asked for afterwards.
func (d *Door) tokenBatch(c *call) (int, any, error) {
	q, err := wire.Query(c.Context)
	if err != nil {
		return 0, nil, err
	}
	dry, err := boolean(q.Get("dryRun"))
	if err != nil {
		return 0, nil, err
	}
	var in []tokenCreateRequest
	if err := wire.ReadJSON(c.Context, 8*maxBody, &in); err != nil {
		return 0, nil, err
	}
	if len(in) == 0 || len(in) > token.MaxBatch {
		return 0, nil, oauth.InvalidRequest("A batch is an array of 1 to 100 requests.")
	}
	var all []*token.Creation
	for i := range in {
		wanted, err := d.creation(c, &in[i])
		if err != nil {
			return 0, nil, err
		}
		all = append(all, wanted)
	}
	b, err := d.Tokens.CreateAll(c.Request.Context(), c.tenant, all, dry)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, &tokenBatchAnswer{c.outcome(success, "The batch was dealt with.").result("", ""), b.ID}, nil
}

// tokenBatchStatus tells what became of a batch.
func (d *Door) tokenBatchStatus(c *call) (int, any, error) {
	b, err := d.Tokens.Batch(c.Request.Context(), c.tenant, c.Param("requestId"))
	if errors.Is(err, grant.ErrNotFound) {
		err = oauth.NotFound("there is no such batch").Because(err)
	}
	if err != nil {
		return 0, nil, err
	}
	s := batchStatus{Kind: "CREATE", RequestID: b.ID, Result: "SUCCEEDED", Count: b.Tokens, CreatedAt: b.CreatedAt.UnixMilli(), ModifiedAt: b.CreatedAt.UnixMilli()}
	if b.Code != "" {
		why := c.outcome(misuse, b.Description)
		s.Result, s.Code, s.Description = "FAILED", why.code, why.message()
	}
	return http.StatusOK, &batchStatusAnswer{c.outcome(success, "The batch was dealt with.").result("", ""), s}, nil
}
