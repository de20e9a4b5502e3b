package influxd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tailLines is the number of last lines on stderr that an error quotes.
const tailLines = 5

// process is one execution of the influxd program.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer // closing it asks the process to stop; the end of this process closes it too
	stderr *lineWriter
	exited chan struct{} // closed when the process has ended; err is set by then
	err    error
}

// open starts the program on address and waits for its ready line, however long loading the data takes. args are
// further arguments.
func open(ctx context.Context, o *Options, address string, args ...string) (*process, error) {
	ready := make(chan struct{}, 1)
	stdout := &lineWriter{onLine: func(s string) {
		if strings.HasPrefix(s, "ready http=") {
			select {
			case ready <- struct{}{}:
			default: // only the first ready line counts
			}
		}
	}}
	p, err := startProcess(o, address, stdout, args)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	slow := time.NewTicker(slowOpen)
	defer slow.Stop()
	for {
		select {
		case <-ready:
			return p, nil
		case <-p.exited:
			return nil, fmt.Errorf("the embedded InfluxDB did not start: %w", p.failure())
		case <-slow.C:
			o.Logger.Warn("embedded InfluxDB is still loading its data; new rows wait on disk",
				"since", time.Since(began).Round(time.Second))
		case <-ctx.Done():
			p.kill() // loses no data
			return nil, context.Cause(ctx)
		}
	}
}

func startProcess(o *Options, address string, stdout io.Writer, args []string) (*process, error) {
	p := &process{
		cmd:    exec.Command(o.Binary, append([]string{"--dir", o.Dir, "--http", address}, args...)...),
		stderr: &lineWriter{onLine: logWarning(o.Logger)},
		exited: make(chan struct{}),
	}
	p.cmd.Env = childEnvironment(os.Environ())
	p.cmd.Stdout, p.cmd.Stderr = stdout, p.stderr
	// The child gets its own process group, so that Ctrl-C in a terminal reaches only the parent, which still writes
	// rows while it stops.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("can't start the embedded InfluxDB: %w", err)
	}
	p.stdin = stdin
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("can't start the embedded InfluxDB: %w", err)
	}
	yieldTo(p.cmd.Process.Pid, o.Logger)
	go func() { // ends with the process; stop and kill wait for it
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// logWarning returns a function that logs a line of the child's stderr, which has only warnings and errors.
func logWarning(log *slog.Logger) func(string) {
	return func(s string) { log.Warn("embedded InfluxDB: message on stderr", "line", s) }
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process to close and waits for its end. It kills the process when kill is closed.
func (p *process) stop(kill <-chan struct{}) error {
	_ = p.stdin.Close() // fails only if the process has ended
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

// kill ends the process and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if the process has ended
	<-p.exited
}

// failure returns how a process ended that was not asked to. It is never nil.
func (p *process) failure() error {
	if p.err == nil {
		return fmt.Errorf("unexpected exit with status 0%s", p.lastOutput())
	}
	return fmt.Errorf("%w%s", p.err, p.lastOutput())
}

// lastOutput returns the last lines on stderr as a clause for an error, or "".
func (p *process) lastOutput() string {
	if tail := p.stderr.tail(); tail != "" {
		return "; last output: " + tail
	}
	return ""
}

// lineWriter calls onLine for each complete line that is written to it, and keeps the last few.
type lineWriter struct {
	onLine func(string)

	mu      sync.Mutex
	partial []byte
	last    []string
}

// Write accepts any number of lines and parts of lines.
func (w *lineWriter) Write(b []byte) (int, error) {
	for _, s := range w.split(b) {
		w.onLine(s)
	}
	return len(b), nil
}

// split returns the lines that b completes.
func (w *lineWriter) split(b []byte) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.partial = append(w.partial, b...)
	var lines []string
	for {
		line, rest, found := bytes.Cut(w.partial, []byte("\n"))
		if !found {
			break
		}
		lines = append(lines, string(line))
		w.partial = rest
	}
	w.last = append(w.last, lines...)
	w.last = w.last[max(0, len(w.last)-tailLines):]
	return lines
}

// tail returns the last lines, joined into one.
func (w *lineWriter) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.last, " | ")
}
