package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Signed is JSON as a webhook gets it (Standard Webhooks 1.0.0): with an id, which is the same in every attempt, the time
// of this one, and a signature by each key.
func Signed(keys [][]byte, id string, now time.Time, body []byte) Content {
	at := strconv.FormatInt(now.Unix(), 10)
	return Content{Type: "application/json", Body: body, Header: map[string]string{
		"Accept": "application/json", "Webhook-Id": id, "Webhook-Timestamp": at, "Webhook-Signature": Sign(keys, id, at, body),
	}}
}

// Sign is the value of webhook-signature: for each key the version v1 and the HMAC-SHA256 of id, time and body.
func Sign(keys [][]byte, id, at string, body []byte) string {
	signatures := make([]string, len(keys))
	for i, key := range keys {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + at + "."))
		_, _ = mac.Write(body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	return strings.Join(signatures, " ")
}

// SigningSecret is a key of a webhook as its receiver is given it.
func SigningSecret(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }
