package wire_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// public makes a door of one public endpoint.
func public(method, path string, h func(c *gin.Context)) wire.Door {
	return mount(func(r *wire.Router) {
		r.Public(method, path, func(c *gin.Context, _ *tenant.Tenant) { h(c) })
	})
}

// S185: intended methods only.
func TestMethods(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", "/t/acme/token", 200, ""},
		{"GET", "/t/acme/token", 405, "POST"},
		{"HEAD", "/t/acme/token", 405, "POST"},
		{"PUT", "/t/acme/token/", 405, "POST"},
		{"DELETE", "/t/acme/token", 405, "POST"},
		{"PATCH", "/t/acme/token", 405, "POST"},
		{"OPTIONS", "/t/acme/token", 405, "POST"},
		{"TRACE", "/t/acme/token", 405, "POST"},
		{"CONNECT", "/t/acme/token", 405, "POST"},
		{"post", "/t/acme/token", 405, "POST"},
		{"X", "/t/acme/token", 405, "POST"},
		{"TRACE", "/authz-sessions/rest/v1", 405, "GET, POST"},
		{"DELETE", "/t/nobody/clients/1", 405, "GET, PUT"},
		{"TRACE", "/nothing", 404, ""},
	} {
		rec := w.do(call(tt.method, "https://id.example"+tt.path))
		allow := strings.Split(rec.Header().Get("Allow"), ", ")
		slices.Sort(allow)
		if rec.Code != tt.status || strings.Join(allow, ", ") != tt.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", tt.method, tt.path, rec.Code, rec.Header().Get("Allow"), tt.status, tt.allow)
		}
		if got := body(t, rec); tt.status == 405 && got.Error != "method_not_allowed" {
			t.Errorf("%s %s: %s", tt.method, tt.path, rec.Body)
		}
		if strings.Contains(rec.Body.String(), "X-Marker") {
			t.Errorf("%s %s: the request came back", tt.method, tt.path)
		}
	}
	for _, h := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if rec := w.do(call("GET", "https://id.example/t/acme/token?_method=POST", h, "POST")); rec.Code != 405 {
			t.Errorf("%s overrides the method: %d", h, rec.Code)
		}
	}
}

// S181: errors are JSON, whatever was asked, and give nothing back.
func TestErrorsAreJSON(t *testing.T) {
	w := newWorld(t)
	const markup = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
	for _, r := range []*http.Request{
		call("GET", "https://id.example/"+markup, "Accept", "text/html"),
		call("GET", "https://id.example/t/"+markup+"/token", "Accept", "text/html"),
		call("POST", "https://id.example/t/acme/token/"+markup+"?x="+markup, "Accept", "*/*"),
		call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "<script>alert", bearer, "Bearer <script>alert"),
		call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "acme", bearer, "<script>alert <script>"),
	} {
		rec := w.do(r)
		body(t, rec)
		if rec.Code < 400 || strings.Contains(rec.Body.String(), "alert") || strings.ContainsAny(rec.Body.String(), "<>") || strings.Contains(fmt.Sprint(rec.Header()), "alert") {
			t.Errorf("%s: %d %v %s", r.URL, rec.Code, rec.Header(), rec.Body)
		}
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	for _, r := range []*http.Request{
		call("POST", "https://id.example/t/acme/token"),
		call("POST", "https://id.example/t/nobody/token"),
		call("GET", "https://id.example/nothing"),
		call("TRACE", "https://id.example/t/acme/token"),
		call("GET", "https://id.example/t/acme/login/broken"),
		call("GET", "https://id.example/authz-sessions/rest/v1"),
	} {
		h := w.do(r).Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
			"Strict-Transport-Security": "max-age=31536000",
			"Content-Security-Policy":   "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		} {
			if got := h.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s %s: %s %q, want %q", r.Method, r.URL, name, got, want)
			}
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: open to other origins", r.URL)
		}
	}
	for rule, r := range map[string]*http.Request{
		"over http": call("POST", "http://id.example/t/acme/token"),
		"over http, and a stranger who says otherwise": call("POST", "http://id.example/t/acme/token", "X-Forwarded-Proto", "https"),
	} {
		if w.do(r).Header().Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: HSTS", rule)
		}
	}
	if w.do(call("POST", "http://id.example/t/acme/token", "X-Peer", proxy, "X-Forwarded-Proto", "https")).Header().Get("Strict-Transport-Security") == "" {
		t.Error("over https at the proxy: no HSTS")
	}
}

func TestError(t *testing.T) {
	for _, tt := range []struct {
		rule      string
		err       error
		basic     bool
		status    int
		body      string
		challenge string
		retry     string
	}{
		{"most codes are 400", oauth.InvalidGrant("code is expired"), false, 400, `{"error":"invalid_grant","error_description":"code is expired"}`, "", ""},
		{"invalid_client is 401", oauth.InvalidClient(""), false, 401, `{"error":"invalid_client"}`, "", ""},
		{"with a challenge for who tried Basic", oauth.InvalidClient(""), true, 401, `{"error":"invalid_client"}`, `Basic realm="client"`, ""},
		{"a token problem is 401", oauth.InvalidToken("The token is expired"), false, 401,
			`{"error":"invalid_token","error_description":"The token is expired"}`, `Bearer error="invalid_token", error_description="The token is expired"`, ""},
		{"the lack of one, too", oauth.MissingToken("x"), false, 401, `{"error":"missing_token","error_description":"x"}`, "Bearer", ""},
		{"too little reach is 403", oauth.InsufficientScope(""), false, 403, `{"error":"insufficient_scope"}`, `Bearer error="insufficient_scope"`, ""},
		{"what is not there is 404", oauth.NotFound("x"), false, 404, `{"error":"not_found","error_description":"x"}`, "", ""},
		{"a limit is 429", oauth.SlowDown(""), false, 429, `{"error":"slow_down"}`, "", "1"},
		{"a limit says when", wire.TooMany(&wire.Refusal{After: 90 * time.Second}), false, 429, `{"error":"slow_down","error_description":"Too many requests"}`, "", "90"},
		{"in whole seconds, rounded up", wire.TooMany(&wire.Refusal{After: 1001 * time.Millisecond}), false, 429, `{"error":"slow_down","error_description":"Too many requests"}`, "", "2"},
		{"and never zero", wire.TooMany(&wire.Refusal{After: 0}), false, 429, `{"error":"slow_down","error_description":"Too many requests"}`, "", "1"},
		{"a door may choose the status", &wire.Status{Err: oauth.SlowDown(""), HTTP: 400}, false, 400, `{"error":"slow_down"}`, "", ""},
		{"a body may be too large", wire.TooLarge(), false, 413, `{"error":"invalid_request","error_description":"The request body is too large"}`, "", ""},
		{"or of another type", wire.UnsupportedMedia("x"), false, 415, `{"error":"invalid_request","error_description":"x"}`, "", ""},
		{"not knowing is 503", oauth.Unavailable().Because(errors.New("dsn with password")), false, 503,
			`{"error":"temporarily_unavailable","error_description":"The service is temporarily unavailable"}`, "", "1"},
		{"so is running out of time", fmt.Errorf("query: %w", context.DeadlineExceeded), false, 503,
			`{"error":"temporarily_unavailable","error_description":"The service is temporarily unavailable"}`, "", "1"},
		{"all else is ours and has no text", errors.New("pq: password authentication failed"), false, 500, `{"error":"server_error"}`, "", ""},
		{"a wrapped error keeps its word", fmt.Errorf("x: %w", oauth.InvalidScope("y")), false, 400, `{"error":"invalid_scope","error_description":"y"}`, "", ""},
		{"a wrapped status keeps its status", fmt.Errorf("x: %w", wire.TooLarge()), false, 413, `{"error":"invalid_request","error_description":"The request body is too large"}`, "", ""},
		{"words of others are put into RFC 6749's characters", oauth.Custom("a\"b\n", "\"naïve\" \\ <b>\x00", "https://acme.example/\u2028"), false, 400,
			`{"error":"a'b?","error_description":"'na?ve' ? \u003cb\u003e?","error_uri":"https://acme.example/?"}`, "", ""},
	} {
		w := newWorld(t, public("GET", "/fail", func(c *gin.Context) { wire.Error(c, tt.err) }))
		r := call("GET", "https://id.example/t/acme/fail")
		if tt.basic {
			r.Header.Set("Authorization", "basic YTpi")
		}
		rec := w.do(r)
		h := rec.Header()
		if rec.Code != tt.status || rec.Body.String() != tt.body || h.Get("WWW-Authenticate") != tt.challenge || h.Get("Retry-After") != tt.retry {
			t.Errorf("%s: %d %s\n%v", tt.rule, rec.Code, rec.Body, h)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" || h.Get("Content-Length") != fmt.Sprint(len(tt.body)) {
			t.Errorf("%s: headers %v", tt.rule, h)
		}
		if got := wire.StatusOf(tt.err); got != tt.status {
			t.Errorf("%s: StatusOf is %d", tt.rule, got)
		}
	}
}

func TestAnswers(t *testing.T) {
	w := newWorld(t,
		public("GET", "/raw", func(c *gin.Context) {
			c.Header("Cache-Control", "public, max-age=60")
			wire.Raw(c, 200, "application/jwk-set+json", []byte("{}"))
		}),
		public("DELETE", "/raw", func(c *gin.Context) { wire.NoContent(c) }),
		public("GET", "/unwritable", func(c *gin.Context) { wire.JSON(c, 200, func() {}) }),
		public("GET", "/twice", func(c *gin.Context) {
			wire.JSON(c, 200, "first")
			wire.Error(c, errors.New("second"))
		}),
	)
	if rec := w.do(call("GET", "https://id.example/t/acme/raw")); rec.Code != 200 || rec.Body.String() != "{}" || rec.Header().Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("raw: %d %v", rec.Code, rec.Header())
	}
	if rec := w.do(call("DELETE", "https://id.example/t/acme/raw")); rec.Code != 204 || rec.Body.Len() != 0 {
		t.Errorf("no content: %d %s", rec.Code, rec.Body)
	}
	if rec := w.do(call("GET", "https://id.example/t/acme/unwritable")); rec.Code != 500 || body(t, rec).Error != "server_error" {
		t.Errorf("unwritable: %d %s", rec.Code, rec.Body)
	}
	if rec := w.do(call("GET", "https://id.example/t/acme/twice")); rec.Body.String() != `"first"` || w.sink.last(t).Outcome != wire.Failed {
		t.Errorf("twice: %s, outcome %s", rec.Body, w.sink.last(t).Outcome)
	}
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		rule, url string
		header    []string
		status    int
		body      string
	}{
		{"an unknown tenant", "https://id.example/t/nobody/login/start", nil, 404, "<p>not_found"},
		{"nobody named", "https://id.example/login/start", nil, 404, "<p>not_found"},
		{"a stranger's header", "https://id.example/t/acme/login/start", []string{"Tenant-ID", "acme"}, 400, "<p>invalid_request"},
		{"a panic", "https://id.example/t/acme/login/broken", nil, 500, "<p>server_error"},
	} {
		rec := w.do(call("GET", tt.url, tt.header...))
		if rec.Code != tt.status || rec.Body.String() != tt.body || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d %v %s", tt.rule, rec.Code, rec.Header(), rec.Body)
		}
		if r := w.sink.last(t); r.Code != strings.TrimPrefix(tt.body, "<p>") || r.Status != tt.status {
			t.Errorf("%s: recorded as %+v", tt.rule, r)
		}
	}
	broken := newWorld(t, mount(func(r *wire.Router) {
		r.Pages(func(*gin.Context, int, *oauth.Error) { panic("the page, too") }).Public("GET", "/x", func(*gin.Context, *tenant.Tenant) { panic("x") })
		r.Pages(func(*gin.Context, int, *oauth.Error) {}).Public("GET", "/y", func(*gin.Context, *tenant.Tenant) { panic("y") })
	}))
	for _, path := range []string{"x", "y"} {
		if rec := broken.do(call("GET", "https://id.example/t/acme/"+path)); rec.Code != 500 || body(t, rec).Error != "server_error" {
			t.Errorf("a panic where the page is broken, too: %d %s", rec.Code, rec.Body)
		}
	}
}

// A real server, for what happens before and beside handlers.
func TestServer(t *testing.T) {
	deadline := make(chan time.Duration, 1)
	w := newWorld(t,
		public("GET", "/slow", func(c *gin.Context) {
			at, _ := c.Request.Context().Deadline()
			deadline <- time.Until(at)
			wire.NoContent(c)
		}),
		public("POST", "/read", func(c *gin.Context) {
			if _, err := wire.RawBody(c, 1000); err != nil {
				wire.Error(c, err)
				return
			}
			wire.NoContent(c)
		}),
		public("GET", "/cut", func(c *gin.Context) {
			c.Writer.WriteHeader(200)
			_, _ = c.Writer.WriteString("half")
			c.Writer.Flush()
			panic("in the middle")
		}),
	)
	server := httptest.NewUnstartedServer(w)
	server.Config.MaxHeaderBytes = 64 << 10
	server.Config.ErrorLog = nil
	server.Start()
	defer server.Close()
	send := func(raw string) string {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		go func() { _, _ = io.WriteString(conn, raw) }()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return fmt.Sprint(resp.StatusCode, " cut")
		}
		return strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", string(b)))
	}
	const end = "Host: id.example\r\nConnection: close\r\n"
	tooLarge := `413 {"error":"invalid_request","error_description":"The request body is too large"}`
	for _, tt := range []struct{ rule, raw, want string }{
		{"a header of 1 MiB", "GET /t/acme/slow HTTP/1.1\r\n" + end + "X: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", "431 "},
		{"two hosts", "GET /t/acme/slow HTTP/1.1\r\nHost: a\r\n" + end + "\r\n", "400 "},
		{"two lengths", "POST /t/acme/read HTTP/1.1\r\n" + end + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400 "},
		{"two codings", "POST /t/acme/read HTTP/1.1\r\n" + end + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501 "},
		{"an unknown coding", "POST /t/acme/read HTTP/1.1\r\n" + end + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501 "},
		{"a body that is too large", "POST /t/acme/read HTTP/1.1\r\n" + end + "Content-Length: 1001\r\n\r\n" + strings.Repeat("a", 1001), tooLarge},
		{"a body that is too large in chunks", "POST /t/acme/read HTTP/1.1\r\n" + end + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat("a", 1001) + "\r\n0\r\n\r\n", tooLarge},
		{"a broken chunk", "POST /t/acme/read HTTP/1.1\r\n" + end + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", `400 {"error":"invalid_request","error_description":"The request body could not be read"}`},
		{"a compressed body", "POST /t/acme/read HTTP/1.1\r\n" + end + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\na", `415 {"error":"invalid_request","error_description":"The content encoding is not supported"}`},
		{"a body that is just not too large", "POST /t/acme/read HTTP/1.1\r\n" + end + "Content-Length: 1000\r\n\r\n" + strings.Repeat("a", 1000), "204"},
		{"an answer that breaks off is cut, not ended", "GET /t/acme/cut HTTP/1.1\r\n" + end + "\r\n", "200 cut"},
		{"and all goes on", "GET /t/acme/slow HTTP/1.1\r\n" + end + "\r\n", "204"},
	} {
		if got := send(tt.raw); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %.200s, want %s", tt.rule, got, tt.want)
		}
	}
	if d := <-deadline; d <= 0 || d > wire.Deadline {
		t.Errorf("a handler has %v, want at most %v", d, wire.Deadline)
	}
}
