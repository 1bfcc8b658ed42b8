package script

import (
	crand "crypto/rand"
	_ "embed"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"

	"github.com/dop251/goja"
)

//go:embed prelude.js
var preludeSource string

var prelude = goja.MustCompile("api", preludeSource, true)

// cell is one call in the worker: a runtime of its own, in which the script runs until it has decided.
type cell struct {
	vm       *goja.Runtime
	parse    goja.Callable
	decision goja.Callable
	settle   map[int]settle // of what it asked for and has no answer to
	asked    int
	sent     int // bytes of arguments since the last report
	asks     []ask
	lines    []Line
	room     int // lines left
	result   goja.Value
}

// settle ends a promise.
type settle struct{ resolve, reject func(any) error }

// deepest is how many calls of functions a script may nest.
const deepest = 1024

var (
	errHandler = errors.New("the script exports no handler of this event")
	errNever   = errors.New("the handler waits for what never comes")
	errNothing = errors.New("the handler decided nothing")
	errAnswer  = errors.New("the decision is too long")
)

// newCell makes the runtime of one call.
func newCell() (*cell, error) {
	c := &cell{vm: goja.New(), settle: map[int]settle{}, room: maxLines}
	c.vm.SetMaxCallStackSize(deepest)
	var seed [32]byte
	_, _ = crand.Read(seed[:])
	c.vm.SetRandSource(rand.New(rand.NewChaCha8(seed)).Float64)
	json := c.vm.Get("JSON").ToObject(c.vm)
	c.parse, _ = goja.AssertFunction(json.Get("parse"))
	v, err := c.vm.RunProgram(prelude)
	if err != nil {
		return nil, err
	}
	make, _ := goja.AssertFunction(v)
	made, err := make(nil, c.native("api", c.ask), c.native("log", c.print), json.Get("parse"), json.Get("stringify"))
	if err != nil {
		return nil, err
	}
	tools := made.ToObject(c.vm)
	c.decision, _ = goja.AssertFunction(tools.Get("decision"))
	exports := c.vm.NewObject()
	module := c.vm.NewObject()
	return c, errors.Join(module.Set("exports", exports), c.vm.Set("module", module), c.vm.Set("exports", exports),
		c.vm.Set("console", tools.Get("console")), c.vm.Set("api", tools.Get("api")))
}

// native is f as scripts call it, and as traces of their stack name it.
func (c *cell) native(name string, f func(goja.FunctionCall) goja.Value) goja.Value {
	v := c.vm.ToValue(f).ToObject(c.vm)
	_ = v.DefineDataProperty("name", c.vm.ToValue(name), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	return v
}

// begin runs the script, and calls the handler with the event.
func (c *cell) begin(p *goja.Program, handler, event string) error {
	api := c.vm.Get("api")
	if err := c.vm.GlobalObject().Delete("api"); err != nil {
		return err
	}
	ev, err := c.parse(nil, c.vm.ToValue(event))
	if err != nil {
		return err
	}
	if _, err := c.vm.RunProgram(p); err != nil {
		return err
	}
	var handle goja.Callable
	if err := c.vm.Try(func() {
		exports := c.vm.Get("module").ToObject(c.vm).Get("exports").ToObject(c.vm)
		handle, _ = goja.AssertFunction(exports.Get(handler))
	}); err != nil || handle == nil {
		return errHandler
	}
	c.result, err = handle(nil, ev, api)
	return err
}

// answer settles what the script asked for.
func (c *cell) answer(a answer) error {
	s, ok := c.settle[a.Number]
	if !ok {
		return nil
	}
	delete(c.settle, a.Number)
	if a.Error != "" {
		reason, err := c.vm.New(c.vm.Get("Error"), c.vm.ToValue(a.Error))
		if err != nil { // the script may have replaced it
			return s.reject(c.vm.ToValue(a.Error))
		}
		return s.reject(reason)
	}
	v, err := c.parse(nil, c.vm.ToValue(a.Value))
	if err != nil {
		return err
	}
	return s.resolve(v)
}

// end reports whether the call is done, and what it came to.
func (c *cell) end() (outcome string, done bool, err error) {
	returned := c.result
	if p := promise(returned); p != nil {
		switch p.State() {
		case goja.PromiseStateRejected:
			return "", true, thrown(p.Result())
		case goja.PromiseStatePending:
			if len(c.settle) == 0 {
				return "", true, errNever
			}
			return "", false, nil
		}
		returned = p.Result()
	}
	v, err := c.decision(nil, returned)
	if err != nil {
		return "", true, err
	}
	outcome, ok := v.Export().(string)
	switch {
	case !ok:
		return "", true, errNothing
	case len(outcome) > MaxAnswer:
		return "", true, errAnswer
	}
	return outcome, true, nil
}

var promiseType = reflect.TypeFor[*goja.Promise]()

// promise is v if it is one, or nil.
func promise(v goja.Value) *goja.Promise {
	if o, ok := v.(*goja.Object); ok && o.ExportType() == promiseType {
		return o.Export().(*goja.Promise)
	}
	return nil
}

// thrown is the error of what a promise was rejected with. Reading it may run the script again, which may throw.
func thrown(v goja.Value) error {
	if o, ok := v.(*goja.Object); ok {
		if stack := o.Get("stack"); stack != nil && !goja.IsUndefined(stack) {
			return errors.New(stack.String())
		}
	}
	return errors.New(v.String())
}

// ask is what a script calls to have something done by the server.
func (c *cell) ask(call goja.FunctionCall) goja.Value {
	name, args := call.Argument(0).String(), call.Argument(1).String()
	switch {
	case c.asked >= maxAsks:
		panic(c.vm.NewTypeError("too many calls of the api"))
	case len(args) > maxArgs, c.sent+len(args) > maxSent:
		panic(c.vm.NewTypeError("the arguments are too long"))
	}
	c.asked++
	c.sent += len(args)
	p, resolve, reject := c.vm.NewPromise()
	c.settle[c.asked] = settle{resolve, reject}
	c.asks = append(c.asks, ask{c.asked, name, args})
	return c.vm.ToValue(p)
}

// print is what a script calls to write a line.
func (c *cell) print(call goja.FunctionCall) goja.Value {
	if c.room--; c.room >= 0 {
		c.lines = append(c.lines, Line{call.Argument(0).String(), Clip(call.Argument(1).String(), maxLine)})
	}
	return goja.Undefined()
}

// Clip is s, or as much of it as n bytes hold. What is no UTF-8 is left out, and so are zero bytes.
func Clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}
