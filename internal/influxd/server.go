package influxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"nhip"
	"nhip/internal/damage"
	"nhip/internal/task"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// The supervision of the process.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 10 * time.Second
	steadyAfter  = time.Minute // after a run this long the back-off begins at firstBackoff again
	slowOpen     = time.Minute // interval of log entries about a process that is still loading its data
)

// Options configure the embedded InfluxDB.
type Options struct {
	Binary     string                // the program built from deploy/influxd
	Dir        string                // data folder; created if missing
	Listen     string                // loopback address as in 127.0.0.1:8086; default: a free port
	AuthFile   string                // password file, mode 0600; default: influx.auth beside Dir
	Damage     *damage.Log           // reports a damaged password file; may be nil
	Logger     *slog.Logger          // default: slog.Default()
	Registerer prometheus.Registerer // nil: no metrics

	at netip.AddrPort // Listen
}

// anyPort is the default of Options.Listen.
const anyPort = "127.0.0.1:0"

// CheckListen returns an error unless address is an IP address of this machine only, and a port. A name is refused,
// because it may resolve to another address.
func CheckListen(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() || at.Addr().Zone() != "" {
		return nhip.Errorf(nhip.CodeInvalid, "Listen",
			"must be an address of this machine only, as in 127.0.0.1:8086, got %q",
			address)
	}
	return nil
}

func (o *Options) setDefaults() error {
	o.Listen = cmp.Or(o.Listen, anyPort)
	if err := CheckListen(o.Listen); err != nil {
		return err
	}
	o.at = netip.MustParseAddrPort(o.Listen)
	switch {
	case o.Binary == "":
		return nhip.Errorf(nhip.CodeInvalid, "Binary", "is required")
	case o.Dir == "":
		return nhip.Errorf(nhip.CodeInvalid, "Dir", "is required")
	}
	if _, err := exec.LookPath(o.Binary); err != nil {
		return fmt.Errorf("can't start the embedded InfluxDB: %w", err)
	}
	o.AuthFile = cmp.Or(o.AuthFile, filepath.Join(filepath.Dir(o.Dir), "influx.auth"))
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return nil
}

// Server is an embedded InfluxDB. A process that does not start or that dies is started again on the same address,
// until Stop. No process outlives the parent, however the parent ends.
type Server struct {
	opts     Options
	address  string
	port     *os.File // holds the port of address; may be nil
	account  account
	restarts prometheus.Counter

	group    *task.Group
	started  chan struct{} // closed when the server answers for the first time
	renew    chan struct{} // asks supervise to replace the running process
	kill     chan struct{} // closed: stop without waiting
	killOnce sync.Once
	portOnce sync.Once

	mu      sync.Mutex
	pid     int
	lastErr error // of the last attempt to start a process
}

// Start starts the embedded InfluxDB on a loopback port, which it has from now on, and returns at once: see Await. An
// error means that the options are wrong, or that the port is in use.
func Start(o Options) (*Server, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	address, port, err := reserve(context.Background(), o.at)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: o, address: address, port: port, account: loadAccount(o.AuthFile, o.Damage, o.Logger),
		group: task.NewGroup(), started: make(chan struct{}), renew: make(chan struct{}, 1), kill: make(chan struct{}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_influxd_restarts_total",
			Help: "Attempts to restart the embedded InfluxDB after it died, failed to start or was stuck.",
		}),
	}
	if o.Registerer != nil {
		if err := o.Registerer.Register(s.restarts); err != nil {
			return nil, errors.Join(
				fmt.Errorf("can't register the metrics of the embedded InfluxDB: %w", err), s.releasePort())
		}
	}
	s.group.Go("influxd", s.supervise)
	return s, nil
}

func (s *Server) releasePort() error {
	if s.port == nil {
		return nil
	}
	return s.port.Close()
}

// Await waits until the server has answered for the first time, or until ctx ends. The error quotes the last output of
// a process that did not start.
func (s *Server) Await(ctx context.Context) error {
	select {
	case <-s.started:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Errorf("the embedded InfluxDB has not started yet: %w", errors.Join(context.Cause(ctx), s.lastErr))
}

// URL returns the server's address, such as http://127.0.0.1:40123. It stays the same across restarts.
func (s *Server) URL() string { return "http://" + s.address }

// Token returns the token of the server's account, for influx.Options.
func (s *Server) Token() string { return s.account.token }

// minFree is the free disk space, in bytes, below which a new process would be stuck at once.
const minFree = 4 << 20

// Renew replaces the process by a new one on the same address, unless the disk is still full. It returns at once.
func (s *Server) Renew() {
	var disk unix.Statfs_t
	if err := unix.Statfs(s.opts.Dir, &disk); err != nil || disk.Bavail*uint64(disk.Bsize) < minFree {
		s.opts.Logger.Warn("embedded InfluxDB not restarted: disk full", "dir", s.opts.Dir)
		return
	}
	select {
	case s.renew <- struct{}{}:
	default: // a renewal is pending
	}
}

// PID returns the process ID of the current or, during a restart, the previous process; 0 before the first.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

// Stop closes the server and waits until the process has ended. When ctx ends first, Stop kills the process, which
// loses no data but makes the next start slower. Stop may be called more than once.
func (s *Server) Stop(ctx context.Context) error {
	cancelKill := context.AfterFunc(ctx, func() { s.killOnce.Do(func() { close(s.kill) }) })
	defer cancelKill()
	err := s.group.Stop(context.WithoutCancel(ctx))
	s.portOnce.Do(func() { err = errors.Join(err, s.releasePort()) })
	if s.opts.Registerer != nil {
		s.opts.Registerer.Unregister(s.restarts)
	}
	return err
}

// supervise owns the process: it starts the first one, replaces one that died, and stops the last one when ctx ends.
func (s *Server) supervise(ctx context.Context) error {
	p, err := s.launch(ctx)
	backoff := firstBackoff
	if err != nil {
		s.logFailure(ctx, "start of the embedded InfluxDB failed; it is tried again", err)
		p, backoff, err = s.replace(ctx, backoff)
	}
	for err == nil {
		started := time.Now()
		select {
		case <-ctx.Done():
			return p.stop(s.kill)
		case <-s.renew:
			s.opts.Logger.Warn("embedded InfluxDB is stuck; restarting", "url", s.URL())
			_ = p.stop(s.kill) // it is replaced in any case
		case <-p.exited:
			s.opts.Logger.Error("embedded InfluxDB died; restarting", "error", p.failure(), "url", s.URL())
		}
		if time.Since(started) > steadyAfter {
			backoff = firstBackoff
		}
		p, backoff, err = s.replace(ctx, backoff)
	}
	return err
}

// replace starts a new process, trying until one starts. It returns the process and the back-off to use if that one
// dies soon, or ctx.Err() when ctx ends first.
func (s *Server) replace(ctx context.Context, backoff time.Duration) (*process, time.Duration, error) {
	for {
		if err := wait.Sleep(ctx, backoff); err != nil {
			return nil, 0, err
		}
		backoff = min(2*backoff, lastBackoff)
		s.restarts.Inc()
		p, err := s.launch(ctx)
		if err == nil {
			s.opts.Logger.Info("embedded InfluxDB restarted", "url", s.URL())
			return p, backoff, nil
		}
		s.logFailure(ctx, "restart of the embedded InfluxDB failed; it is tried again", err)
	}
}

// logFailure logs an error, unless it is the same as that of the attempt before.
func (s *Server) logFailure(ctx context.Context, message string, err error) {
	s.mu.Lock()
	repeated := s.lastErr != nil && s.lastErr.Error() == err.Error()
	s.lastErr = err
	s.mu.Unlock()
	if ctx.Err() == nil && !repeated {
		s.opts.Logger.Error(message, "error", err)
	}
}

// launch starts a process and makes sure of its account. The data folder may have been emptied since the process
// before, which removes the account.
func (s *Server) launch(ctx context.Context) (*process, error) {
	if err := s.account.save(); err != nil {
		return nil, err
	}
	p, err := open(ctx, &s.opts, s.address, s.account.args()...)
	if err != nil {
		return nil, err
	}
	if err := s.account.ensure(ctx, s.URL()); err != nil {
		p.kill()
		return nil, err
	}
	s.mu.Lock()
	s.pid, s.lastErr = p.pid(), nil
	s.mu.Unlock()
	select {
	case <-s.started:
	default: // only supervise calls launch
		close(s.started)
	}
	return p, nil
}
