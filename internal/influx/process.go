package influx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tailLines is how much of what a process said last goes into an error.
const tailLines = 5

// process is one run of the influxd program.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer // closing it asks the process to stop; so does our death
	stderr *lineWriter
	url    string
	exited chan struct{} // closed at its end; err is set then
	err    error
}

// launch starts the program on address and waits for its ready line.
func launch(ctx context.Context, o *ChildOptions, address string) (*process, error) {
	ready := make(chan string, 1)
	stdout := &lineWriter{line: func(s string) {
		if url, ok := strings.CutPrefix(s, "ready http="); ok {
			select {
			case ready <- url:
			default: // it says so once
			}
		}
	}}
	p, err := startProcess(o, address, stdout)
	if err != nil {
		return nil, err
	}
	late := time.NewTimer(o.StartTimeout)
	defer late.Stop()
	select {
	case p.url = <-ready:
		return p, nil
	case <-p.exited:
		return nil, fmt.Errorf("the embedded InfluxDB did not start: %w", p.failure())
	case <-late.C:
		err = fmt.Errorf("the embedded InfluxDB did not get ready within %s%s", o.StartTimeout, p.lastWords())
	case <-ctx.Done():
		err = fmt.Errorf("the embedded InfluxDB was not ready yet: %w", context.Cause(ctx))
	}
	p.kill()
	return nil, err
}

func startProcess(o *ChildOptions, address string, stdout io.Writer) (*process, error) {
	p := &process{
		cmd:    exec.Command(o.Binary, "--dir", o.Dir, "--http", address),
		stderr: &lineWriter{line: warnOf(o.Logger)},
		exited: make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = stdout, p.stderr
	// A group of its own, so that a terminal's Ctrl-C reaches only us: rows are still written while
	// we stop.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("can't start the embedded InfluxDB: %w", err)
	}
	p.stdin = stdin
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("can't start the embedded InfluxDB: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// warnOf logs what the child prints to its stderr, which is warnings and errors only.
func warnOf(log *slog.Logger) func(string) {
	return func(s string) { log.Warn("the embedded InfluxDB says", "line", s) }
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to close and waits for its end. When kill is closed it waits no longer.
func (p *process) stop(kill <-chan struct{}) error {
	_ = p.stdin.Close() // an error means that it has ended, which is waited for
	select {
	case <-p.exited:
	case <-kill:
		p.kill()
		return errors.New("the embedded InfluxDB did not close in time and was killed")
	}
	if p.err != nil {
		return fmt.Errorf("the embedded InfluxDB did not close cleanly: %w", p.failure())
	}
	return nil
}

// kill ends the process and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended
	<-p.exited
}

// failure says how an ended process ended. It is never nil: one that ends unasked has failed.
func (p *process) failure() error {
	if p.err == nil {
		return fmt.Errorf("it ended by itself%s", p.lastWords())
	}
	return fmt.Errorf("%w%s", p.err, p.lastWords())
}

func (p *process) lastWords() string {
	if tail := p.stderr.tail(); tail != "" {
		return "; it said last: " + tail
	}
	return ""
}

// lineWriter hands what is written to it to line, a line at a time, and remembers the last few.
type lineWriter struct {
	line func(string)

	mu   sync.Mutex
	rest []byte
	last []string
}

// Write takes any part of any number of lines.
func (w *lineWriter) Write(b []byte) (int, error) {
	for _, s := range w.take(b) {
		w.line(s)
	}
	return len(b), nil
}

func (w *lineWriter) take(b []byte) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, b...)
	var lines []string
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			break
		}
		lines = append(lines, string(line))
		w.rest = rest
	}
	w.last = append(w.last, lines...)
	w.last = w.last[max(0, len(w.last)-tailLines):]
	return lines
}

// tail returns the last lines in one.
func (w *lineWriter) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.last, " | ")
}
