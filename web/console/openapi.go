package console

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// errorsOf are the statuses of errors that a route may answer with.
func (r *route) errorsOf() []int {
	all := slices.Concat(r.errors, []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusServiceUnavailable})
	if strings.Contains(r.path, ":") {
		all = append(all, http.StatusNotFound, http.StatusConflict) // a tenant that is disabled has nothing but itself
	}
	if r.body != nil {
		all = append(all, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if r.method == http.MethodPost {
		all = append(all, http.StatusUnprocessableEntity)
	}
	if r.method != http.MethodGet {
		all = append(all, http.StatusConflict)
		if r.tagged {
			all = append(all, http.StatusPreconditionFailed)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// pathParameter is a part of a path that stands for a value.
var pathParameter = regexp.MustCompile(`:([a-z]+)`)

// whatParts are the parts of paths that stand for values.
var whatParts = map[string]string{
	"id": "Id of the tenant, or platform", "token": "Id of the token", "kid": "Id of the key", "role": "Name of the role",
	"principal": "token:{id}, service:{id} or user:{sub}", "account": "Id of the service account",
	"client": "Id of the client", "sub": "Subject of the user", "version": "Version of the tenant after the change",
	"hook":  "Name of the hook, as in the settings",
	"alias": "Id of the alias", "scope": "Scope value, escaped as in a URL",
	"message": "Id of the message",
	"script":  "Name of the script", "number": "Number of the version, or newest", "secret": "Name of the secret",
}

// describe returns the description of a route as an operation of OpenAPI.
func (r *route) describe(s schemas) map[string]any {
	ex := examples[r.name]
	parameters := []any{}
	for _, m := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		parameters = append(parameters, map[string]any{"name": m[1], "in": "path", "required": true, "description": whatParts[m[1]],
			"schema": map[string]any{"type": "string"}})
	}
	for _, p := range r.query {
		shape := map[string]any{"type": "string"}
		if p.number {
			shape = map[string]any{"type": "integer", "minimum": 1, "maximum": maxLimit}
		}
		if len(p.values) > 0 {
			shape["enum"] = p.values
		}
		parameters = append(parameters, map[string]any{"name": p.name, "in": "query", "description": p.description, "schema": shape})
	}
	for _, h := range r.headers() {
		parameters = append(parameters, map[string]any{"name": h.name, "in": "header", "description": h.description, "schema": map[string]any{"type": "string"}})
	}
	answers := map[string]any{}
	good := map[string]any{"description": http.StatusText(r.status)}
	if r.answer != nil {
		content := map[string]any{"schema": s.of(r.answer)}
		if ex.answer != "" {
			content["example"] = json.RawMessage(ex.answer)
		}
		good["content"] = map[string]any{r.mediaType(): content}
	}
	if r.tagged {
		good["headers"] = map[string]any{"ETag": map[string]any{"description": "Version, for If-Match", "schema": map[string]any{"type": "string"}}}
	}
	answers[strconv.Itoa(r.status)] = good
	for _, status := range r.errorsOf() {
		answers[strconv.Itoa(status)] = map[string]any{"$ref": "#/components/responses/" + responseName(status)}
	}
	o := map[string]any{"operationId": r.name, "summary": r.summary, "responses": answers, "tags": []string{r.tag()}}
	if len(parameters) > 0 {
		o["parameters"] = parameters
	}
	if r.permission != "" {
		o["x-permission"] = r.permission
		o["description"] = "Needs the permission " + string(r.permission) + "."
	}
	if r.body != nil {
		content := map[string]any{"schema": s.of(r.body)}
		if ex.body != "" {
			content["example"] = json.RawMessage(ex.body)
		}
		kinds := map[string]any{"application/json": content}
		if r.method == http.MethodPatch {
			kinds["application/merge-patch+json"] = content
		}
		o["requestBody"] = map[string]any{"required": !r.optional, "content": kinds}
	}
	return o
}

// mediaType is that of the answer.
func (r *route) mediaType() string {
	if r.answer == linesType {
		return "application/jsonl"
	}
	return "application/json"
}

// headers are those of a request that the route reads.
func (r *route) headers() (hs []parameter) {
	if r.tagged && (r.method == http.MethodPut || r.method == http.MethodPatch || r.conditional) {
		hs = append(hs, parameter{name: "If-Match", description: "ETag of what is to be changed; it is refused with 412 where it was changed since"})
	}
	if r.method == http.MethodPost {
		hs = append(hs, parameter{name: keyHeader, description: "1 to 255 visible characters of the caller's choice: a repetition within 24 hours is answered as the first call was"})
	}
	return hs
}

// tag is what the route is about: the last fixed part of its path.
func (r *route) tag() string {
	parts := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
	if len(parts) > 2 {
		return parts[2]
	}
	return parts[0]
}

func responseName(status int) string { return strings.ReplaceAll(http.StatusText(status), " ", "") }

// problemExamples are the members of problems by status.
var problemExamples = map[int]problem{
	400: {Code: "invalid_request", Detail: "Some members are not acceptable", Errors: []fault{{Pointer: "#/settings/tokens/id_token_lifetime", Detail: "must be from 60 to 86400"}}},
	401: {Code: "invalid_token", Detail: "The token is not valid"},
	403: {Code: "insufficient_scope", Detail: "Your roles do not allow this"},
	404: {Code: "not_found", Detail: "There is no such tenant"},
	409: {Code: "invalid_request", Detail: "The tenant id or the issuer is taken"},
	412: {Code: "invalid_request", Detail: "It is of another version than If-Match says"},
	413: {Code: "invalid_request", Detail: "The request body is too large"},
	415: {Code: "invalid_request", Detail: "The content type must be application/json"},
	422: {Code: "invalid_request", Detail: "The idempotency key was used for another request"},
	429: {Code: "slow_down", Detail: "Too many requests"},
	500: {Code: "server_error"},
	503: {Code: "temporarily_unavailable"},
}

// describe is the description of routes (OpenAPI 3.1).
func describe(routes []route) (json.RawMessage, error) {
	s, paths, statuses := schemas{}, map[string]map[string]any{}, map[int]bool{}
	for i := range routes {
		r := &routes[i]
		path := pathParameter.ReplaceAllString(r.path, "{$1}")
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.method)] = r.describe(s)
		for _, status := range r.errorsOf() {
			statuses[status] = true
		}
	}
	responses := map[string]any{}
	for status := range statuses {
		p := problemExamples[status]
		p.Status, p.Title = status, http.StatusText(status)
		out := map[string]any{"description": http.StatusText(status), "content": map[string]any{"application/problem+json": map[string]any{
			"schema": s.of(reflect.TypeFor[problem]()), "example": p}}}
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			out["headers"] = map[string]any{"Retry-After": map[string]any{"description": "Seconds", "schema": map[string]any{"type": "integer"}}}
		}
		responses[responseName(status)] = out
	}
	return json.Marshal(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{"title": "Chancery administration", "version": "1",
			"description": "What platform operators and tenants' own administrators do. Errors are problem details (RFC 9457). Paths are served with and without a trailing slash."},
		"servers":  []any{map[string]any{"url": adminPath}},
		"security": []any{map[string]any{"token": []string{}}},
		"paths":    paths,
		"components": map[string]any{"schemas": s, "responses": responses, "securitySchemes": map[string]any{
			"token": map[string]any{"type": "http", "scheme": "bearer", "description": "API token that opens the administration"}}},
	})
}

func (d *Door) description(*call) (json.RawMessage, error) { return d.document, nil }
