package authlete

import (
	"fmt"
	"strings"
	"testing"
)

// What a JSON patch makes of a document (RFC 6902 §4 and appendix A); no result: it is refused as a whole.
func TestPatch(t *testing.T) {
	for _, c := range []struct{ rule, doc, patch, want string }{
		{"a member is added", `{"a":1}`, `[{"op":"add","path":"/b","value":2}]`, `{"a":1,"b":2}`},
		{"or replaced, where it is there", `{"a":1}`, `[{"op":"add","path":"/a","value":[2]}]`, `{"a":[2]}`},
		{"null is a value", `{"a":1}`, `[{"op":"add","path":"/b","value":null}]`, `{"a":1,"b":null}`},
		{"an element is inserted", `{"a":["x","z"]}`, `[{"op":"add","path":"/a/1","value":"y"}]`, `{"a":["x","y","z"]}`},
		{"or appended", `{"a":["x"]}`, `[{"op":"add","path":"/a/-","value":"y"},{"op":"add","path":"/a/2","value":"z"}]`, `{"a":["x","y","z"]}`},
		{"nothing is added beyond the end", `{"a":["x"]}`, `[{"op":"add","path":"/a/2","value":"y"}]`, ""},
		{"nor to what is not there", `{"a":1}`, `[{"op":"add","path":"/b/c","value":2}]`, ""},
		{"nor without a value", `{"a":1}`, `[{"op":"add","path":"/b"}]`, ""},
		{"a member is removed", `{"a":1,"b":2}`, `[{"op":"remove","path":"/a"}]`, `{"b":2}`},
		{"an element is removed", `{"a":["x","y","z"]}`, `[{"op":"remove","path":"/a/1"}]`, `{"a":["x","z"]}`},
		{"what is not there cannot be", `{"a":1}`, `[{"op":"remove","path":"/b"}]`, ""},
		{"nor what only looks like an index", `{"a":["x","y"]}`, `[{"op":"remove","path":"/a/01"}]`, ""},
		{"nor what is behind the last element", `{"a":["x"]}`, `[{"op":"remove","path":"/a/-"}]`, ""},
		{"what may be absent is added and removed", `{"a":1}`, `[{"op":"add","path":"/b","value":0},{"op":"remove","path":"/b"}]`, `{"a":1}`},
		{"a member is replaced", `{"a":{"b":1}}`, `[{"op":"replace","path":"/a/b","value":2}]`, `{"a":{"b":2}}`},
		{"an element is replaced", `{"a":["x","y"]}`, `[{"op":"replace","path":"/a/1","value":"z"}]`, `{"a":["x","z"]}`},
		{"what is not there cannot be replaced", `{"a":1}`, `[{"op":"replace","path":"/b","value":2}]`, ""},
		{"the whole document is replaced", `{"a":1}`, `[{"op":"replace","path":"","value":{"b":2}}]`, `{"b":2}`},
		{"a member moves", `{"a":{"b":1},"c":{}}`, `[{"op":"move","from":"/a/b","path":"/c/d"}]`, `{"a":{},"c":{"d":1}}`},
		{"an element moves", `{"a":["x","y","z"]}`, `[{"op":"move","from":"/a/0","path":"/a/2"}]`, `{"a":["y","z","x"]}`},
		{"but not into itself", `{"a":{"b":1}}`, `[{"op":"move","from":"/a","path":"/a/c"}]`, ""},
		{"a copy is another", `{"a":{"b":1}}`, `[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]`, `{"a":{"b":1},"c":{"b":2}}`},
		{"a test holds", `{"a":[1,{"b":"x"}]}`, `[{"op":"test","path":"/a","value":[1,{"b":"x"}]},{"op":"remove","path":"/a"}]`, `{}`},
		{"or not, and nothing is done", `{"a":1}`, `[{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}]`, ""},
		{"a number is no text", `{"a":1}`, `[{"op":"test","path":"/a","value":"1"}]`, ""},
		{"names are escaped", `{"a/b":1,"m~n":2,"~1":3}`, `[{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"},{"op":"remove","path":"/~01"}]`, `{}`},
		{"an empty name is a name", `{"":1}`, `[{"op":"replace","path":"/","value":2}]`, `{"":2}`},
		{"numbers stay as they are", `{"a":12345678901234567890}`, `[{"op":"copy","from":"/a","path":"/b"}]`, `{"a":12345678901234567890,"b":12345678901234567890}`},
		{"members that are not known are ignored", `{"a":1}`, `[{"op":"add","path":"/b","value":2,"x":3}]`, `{"a":1,"b":2}`},
		{"an operation that is not known", `{"a":1}`, `[{"op":"spam","path":"/a"}]`, ""},
		{"no path", `{"a":1}`, `[{"op":"remove"}]`, ""},
		{"no source", `{"a":1}`, `[{"op":"copy","path":"/b"}]`, ""},
		{"a path that is none", `{"a":1}`, `[{"op":"remove","path":"a"}]`, ""},
		{"no patch at all", `{"a":1}`, `{"op":"remove","path":"/a"}`, ""},
		{"too many operations", `{"a":1}`, "[" + strings.Repeat(`{"op":"add","path":"/a","value":2},`, maxOperations) + `{"op":"add","path":"/a","value":2}]`, ""},
		{"copies of copies", `{"a":1}`, "[" + copies(22) + "]", ""},
		{"copies that stay small", `{"a":1}`, "[" + copies(2) + "]", `{"a":1,"c1":{"a":1},"c2":{"a":1,"c1":{"a":1}}}`},
		{"nothing to do", `{"a":1}`, `[]`, `{"a":1}`},
	} {
		got, err := patched([]byte(c.doc), c.patch)
		if string(got) != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: %s, %v", c.rule, got, err)
		}
		if err != nil && !strings.HasPrefix(fmt.Sprint(err), "invalid_request") {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

// copies doubles a document n times.
func copies(n int) string {
	ops := make([]string, n)
	for i := range ops {
		ops[i] = fmt.Sprintf(`{"op":"copy","from":"","path":"/c%d"}`, i+1)
	}
	return strings.Join(ops, ",")
}
