package influx

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"nhip"
	"nhip/internal/pause"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// How a child is kept alive.
const (
	defaultStartTimeout = 30 * time.Second // Flux's library alone takes InfluxDB 3 s
	firstBackoff        = 100 * time.Millisecond
	lastBackoff         = 10 * time.Second
	steadyAfter         = time.Minute // one that ran this long and dies is restarted at once again
)

// ChildOptions say how to run the embedded InfluxDB.
type ChildOptions struct {
	Binary       string                // the program built from deploy/influxd
	Dir          string                // its data; made when missing
	AuthFile     string                // where its password is kept, 0600; default: influx.auth beside Dir
	StartTimeout time.Duration         // for one start, reading the data included; default 30 s
	Logger       *slog.Logger          // default: slog.Default()
	Registerer   prometheus.Registerer // nil: no metrics
}

func (o *ChildOptions) setDefaults() error {
	switch {
	case o.Binary == "":
		return nhip.Errorf(nhip.Invalid, "Binary", "is required")
	case o.Dir == "":
		return nhip.Errorf(nhip.Invalid, "Dir", "is required")
	}
	o.AuthFile = cmp.Or(o.AuthFile, filepath.Join(filepath.Dir(o.Dir), "influx.auth"))
	o.StartTimeout = cmp.Or(o.StartTimeout, defaultStartTimeout)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	return nil
}

// Child is a running embedded InfluxDB. When its process dies it is started again on the same
// address, until Stop. It never outlives this process, however that ends.
type Child struct {
	opts     ChildOptions
	url      string
	token    string
	restarts prometheus.Counter

	renew  chan struct{}      // tells supervise to replace a process that runs
	cancel context.CancelFunc // tells supervise to stop
	kill   chan struct{}      // closed: stop without waiting
	killed sync.Once
	done   chan struct{} // closed when supervise has returned; stopErr is set then

	mu      sync.Mutex
	pid     int
	stopErr error
}

// StartChild starts the embedded InfluxDB on a free loopback port and waits until it answers. ctx
// bounds the start only: the child runs until Stop. Errors say what the child said last.
func StartChild(ctx context.Context, o ChildOptions) (*Child, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	token, err := loadToken(o.AuthFile)
	if err != nil {
		return nil, err
	}
	p, err := launch(ctx, &o, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if err := createAdmin(ctx, p.url, token, o.AuthFile); err != nil {
		p.kill()
		return nil, err
	}
	c := &Child{
		opts: o, url: p.url, token: token, pid: p.pid(),
		renew: make(chan struct{}, 1), kill: make(chan struct{}), done: make(chan struct{}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_influxd_restarts_total",
			Help: "How often the embedded InfluxDB died and was started again.",
		}),
	}
	if o.Registerer != nil {
		if err := o.Registerer.Register(c.restarts); err != nil {
			p.kill()
			return nil, fmt.Errorf("can't register the metrics of the embedded InfluxDB: %w", err)
		}
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.supervise(own, p)
	return c, nil
}

// URL returns where the child listens, as in http://127.0.0.1:40123. It stays the same over restarts.
func (c *Child) URL() string { return c.url }

// Token returns what opens it: for Options.Token.
func (c *Child) Token() string { return c.token }

// leastFree is the room on disk, in bytes, without which a renewed process would be stuck at once.
const leastFree = 4 << 20

// Renew closes the process and starts another on the same address, unless its disk is full still.
// It returns at once.
func (c *Child) Renew() {
	var disk unix.Statfs_t
	if err := unix.Statfs(c.opts.Dir, &disk); err != nil || disk.Bavail*uint64(disk.Bsize) < leastFree {
		c.opts.Logger.Warn("the embedded InfluxDB's disk is full", "dir", c.opts.Dir)
		return
	}
	select {
	case c.renew <- struct{}{}:
	default: // asked for already
	}
}

// PID returns the process that runs now, or ran last.
func (c *Child) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid
}

// Stop closes the child and waits until it has ended; when ctx ends first the child is killed, which
// loses nothing but costs the next start time. Stopping twice is harmless.
func (c *Child) Stop(ctx context.Context) error {
	c.cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
		c.killed.Do(func() { close(c.kill) })
		<-c.done
	}
	if c.opts.Registerer != nil {
		c.opts.Registerer.Unregister(c.restarts)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopErr
}

// supervise owns the process: it replaces one that died and stops the last one when ctx ends.
func (c *Child) supervise(ctx context.Context, p *process) {
	defer close(c.done)
	backoff := firstBackoff
	for {
		began := time.Now()
		select {
		case <-ctx.Done():
			err := p.stop(c.kill)
			c.mu.Lock()
			c.stopErr = err
			c.mu.Unlock()
			return
		case <-c.renew:
			c.opts.Logger.Warn("the embedded InfluxDB is stuck; starting it again", "url", c.url)
			_ = p.stop(c.kill) // how it ends changes nothing
		case <-p.exited:
			c.opts.Logger.Error("the embedded InfluxDB died; starting it again", "error", p.failure(), "url", c.url)
		}
		if time.Since(began) > steadyAfter {
			backoff = firstBackoff
		}
		if p, backoff = c.replace(ctx, backoff); p == nil {
			return
		}
	}
}

// replace starts a new process, as often as it takes, and returns the back-off to use should that
// one die soon. It returns nil when ctx ends first.
func (c *Child) replace(ctx context.Context, backoff time.Duration) (*process, time.Duration) {
	for {
		if !pause.For(ctx, backoff) {
			return nil, backoff
		}
		backoff = min(2*backoff, lastBackoff)
		c.restarts.Inc()
		p, err := c.relaunch(ctx)
		if err == nil {
			c.opts.Logger.Info("the embedded InfluxDB runs again", "url", c.url)
			return p, backoff
		}
		if ctx.Err() == nil {
			c.opts.Logger.Error("can't start the embedded InfluxDB again", "error", err, "retry_in", backoff)
		}
	}
}

// relaunch starts a process on the address that everyone knows.
func (c *Child) relaunch(ctx context.Context) (*process, error) {
	u, err := url.Parse(c.url)
	if err != nil {
		return nil, err
	}
	p, err := launch(ctx, &c.opts, u.Host)
	if err != nil {
		return nil, err
	}
	// Its folder may have been emptied meanwhile, and with it the account.
	if err := createAdmin(ctx, p.url, c.token, c.opts.AuthFile); err != nil {
		p.kill()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pid = p.pid()
	return p, nil
}
