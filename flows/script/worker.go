package script

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"

	"github.com/dop251/goja"
)

// WorkerCommand is the one argument of a process that is a worker.
const WorkerCommand = "script-worker"

// Work is the whole life of a worker process, which talks with the server over its standard input and output. It locks
// itself up first, and ends when the server closes the pipe. What it returns is the exit code.
func Work() int {
	runtime.GOMAXPROCS(1)
	debug.SetMaxStack(maxStack)
	debug.SetMemoryLimit(softMemory)
	debug.SetGCPercent(gcPercent)
	if err := confine(); err != nil {
		fmt.Fprintln(os.Stderr, "chancery: a script worker cannot be confined:", err)
		return 1
	}
	if err := work(os.Stdin, os.Stdout); err != nil {
		return 1
	}
	return 0
}

// What a worker may use, in bytes: of memory beyond what the program itself takes, and of stack. The garbage collector works
// harder above the soft limit; the operating system ends what goes above the hard one. Below it there is little to collect, as
// what a call leaves behind is all garbage.
const (
	gcPercent  = 400
	softMemory = 48 << 20
	hardMemory = 96 << 20
	maxStack   = 8 << 20
)

// desk is what a worker works at: one call at a time.
type desk struct {
	programs shelf[*goja.Program]
	cell     *cell // of the call
	spare    *cell // for the next one
	heap     uint64
}

// work obeys orders until in ends.
func work(in io.Reader, out io.Writer) error {
	d := &desk{}
	from := bufio.NewReader(in)
	if err := send(out, &report{Done: true}); err != nil { // it is ready
		return err
	}
	for {
		if err := d.prepare(); err != nil {
			return err
		}
		var o order
		if err := receive(from, &o); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		r := d.obey(&o)
		r.Call = o.Call
		if err := send(out, r); err != nil {
			return err
		}
	}
}

// prepare makes ready for the next order, while nobody waits: what a call left behind is gone, and the next one's runtime there.
func (d *desk) prepare() (err error) {
	if d.cell == nil {
		if d.heap = heap(); d.heap > largeHeap/2 {
			runtime.GC()
			d.heap = heap()
		}
	}
	if d.spare == nil {
		d.spare, err = newCell()
	}
	return err
}

// obey does what o says. What it cannot do is an Error of the report.
func (d *desk) obey(o *order) *report {
	p, _ := d.programs.get(o.Program)
	switch {
	case o.Source != "":
		compiled, err := goja.Compile("script", o.Source, false)
		if err != nil {
			return &report{Done: true, Error: Clip(err.Error(), maxMessage)}
		}
		if o.Program != "" {
			d.programs.put(o.Program, compiled, len(o.Source))
		}
		return &report{Done: true}
	case o.Run && p == nil:
		return &report{Missing: true}
	case !o.Run && d.cell == nil:
		return &report{Done: true, Error: "there is no such call"}
	}
	if o.Run {
		d.cell, d.spare = d.spare, nil
	}
	c := d.cell
	outcome, done, err := c.step(p, o)
	r := &report{Lines: c.lines, Asks: c.asks, Done: done || err != nil, Outcome: outcome, Heap: d.heap}
	c.lines, c.asks, c.sent = nil, nil, 0
	if _, ok := errors.AsType[*goja.StackOverflowError](err); ok {
		err = fmt.Errorf("RangeError: calls nest too deep\n%w", err)
	}
	if err != nil {
		r.Outcome, r.Error = "", cmp.Or(strings.TrimSpace(Clip(err.Error(), maxMessage)), "it threw nothing that can be shown")
	}
	if r.Done {
		d.cell = nil
	}
	return r
}

// step begins the call, or goes on with it, as far as it goes.
func (c *cell) step(p *goja.Program, o *order) (outcome string, done bool, err error) {
	defer func() {
		if r := recover(); r != nil { // what a script makes of values that are read outside of it
			outcome, done, err = "", true, fmt.Errorf("%v", r)
		}
	}()
	if o.Run {
		err = c.begin(p, o.Handler, o.Event)
	}
	for _, a := range o.Answers {
		if err == nil {
			err = c.answer(a)
		}
	}
	if err != nil {
		return "", true, err
	}
	return c.end()
}

// heap is how many bytes are in use or not yet found to be unused.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
