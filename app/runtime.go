package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"time"

	"nhip"
	"nhip/internal/certs"
	"nhip/internal/cleanup"
	"nhip/internal/config"
	"nhip/internal/damage"
	"nhip/internal/datadir"
	"nhip/internal/descriptors"
	"nhip/internal/fleet"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt"
	"nhip/internal/task"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Timings of a start.
const (
	connectTimeout = 8 * time.Second
	databaseWait   = time.Second // for the first answer of a database elsewhere, once messages are accepted
	diskRetry      = 2 * time.Second
	readyPoll      = 50 * time.Millisecond
)

// runtime is what every role has: its configuration, its data folder, its metrics, and the list of what must be
// stopped.
type runtime struct {
	options  Options
	conf     config.Config
	clock    nhip.Clock
	log      *slog.Logger
	registry *prometheus.Registry
	damaged  *damage.Log
	dir      *datadir.Dir
	brokerCA *x509.CertPool // verifies the shared broker; nil: the system's authorities do
	cleanup  cleanup.Stack
}

func newRuntime(o Options) *runtime {
	o = o.withDefaults()
	r := &runtime{options: o, conf: *o.Config, clock: o.Clock, log: o.Logger, registry: prometheus.NewRegistry()}
	r.damaged = damage.NewLog(r.log, r.registry)
	r.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// openDataDir locks the data folder for a role.
func (r *runtime) openDataDir(role datadir.Role) error {
	var err error
	if r.dir, err = datadir.OpenDamaged(r.options.DataDir, role, r.damaged); err != nil {
		return err
	}
	r.cleanup.Push("the data folder", func(context.Context) error { return r.dir.Close() })
	return nil
}

// markDataDir keeps simulated and real facts in different folders.
func (r *runtime) markDataDir() error {
	if r.options.Simulate {
		return r.dir.Simulate()
	}
	return r.dir.Real()
}

// operatorToken returns the operator's token, which is valid also while it can't be written.
func (r *runtime) operatorToken() string {
	token, err := r.dir.Token(fleet.NewSecret, r.damaged)
	if err != nil {
		r.saveLater("the operator's token", err, func() error { return r.dir.SaveToken(token) })
	}
	return token
}

// rotateToken makes a new operator's token and writes it to its file. After an error the old one stays.
func (r *runtime) rotateToken() (string, error) {
	token := fleet.NewSecret()
	return token, r.dir.SaveToken(token)
}

// announceAddresses writes a role's addresses to the data folder, for local tools.
func (r *runtime) announceAddresses(a datadir.Addresses) {
	if err := r.dir.Announce(a); err != nil {
		r.saveLater("the addresses for local tools", err, func() error { return r.dir.Announce(a) })
	}
}

// saveLater tries again and again to save something that could not be written, until the role stops.
func (r *runtime) saveLater(what string, err error, save func() error) {
	r.log.Error("can't write to the data folder; it is tried again", "what", what, "error", err)
	r.run("saving "+what, func(ctx context.Context) error {
		for {
			if err := wait.Sleep(ctx, diskRetry); err != nil {
				return err
			}
			if save() == nil {
				r.log.Info("written to the data folder", "what", what)
				return nil
			}
		}
	})
}

// diskFault reports whether an error is one of the file system, such as a full disk, which may end by itself.
func diskFault(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno)
}

// onDisk runs open until it succeeds or fails for another reason than the disk, or until ctx ends.
func (r *runtime) onDisk(ctx context.Context, what string, open func() error) error {
	last := ""
	for {
		err := open()
		if err == nil || !diskFault(err) {
			return err
		}
		if err.Error() != last {
			r.log.Error("can't use the data folder; it is tried again", "what", what, "error", err)
		}
		last = err.Error()
		if err := wait.Sleep(ctx, diskRetry); err != nil {
			return err
		}
	}
}

// claimParts gives the role's parts of the data folder the identity of the folder, and logs what is out of order.
func (r *runtime) claimParts(parts ...string) error {
	for _, part := range parts {
		r.damaged.Folder(r.dir.Path(part))
	}
	findings, err := r.dir.Claim(parts...)
	for _, finding := range findings {
		r.log.Error("data folder out of order", "finding", finding)
	}
	return err
}

// The parts of the data folder that number records.
var (
	collectorParts = []string{"collector/journal", "collector/outbox", "collector/ledger"}
	gatewayParts   = []string{"gateway"}
)

// requireKey returns an error if a key that all roles of a distributed platform share is empty.
func requireKey(key, value string) error {
	if value == "" {
		return nhip.Errorf(nhip.CodeMissing, key, "is required by a role that runs apart")
	}
	return nil
}

// requireShared returns an error if a key is empty without which a collector or an api can't run apart.
func (r *runtime) requireShared() error {
	if err := requireKey("broker.url", r.conf.Broker.URL); err != nil {
		return err
	}
	return requireKey("influx.url", r.conf.Influx.URL)
}

// readBrokerCA reads the authority of the shared broker's certificate.
func (r *runtime) readBrokerCA() error {
	if r.conf.Broker.CA == "" {
		return nil
	}
	var err error
	if r.brokerCA, err = certs.Pool(r.conf.Broker.CA); err != nil {
		return fmt.Errorf("broker.ca: %w", err)
	}
	return nil
}

// sharedBroker returns the options of a connection to the broker that the roles share.
func (r *runtime) sharedBroker(id string) mqtt.Options {
	b := r.conf.Broker
	return mqtt.Options{
		URL: b.URL, Roots: r.brokerCA, ClientID: id, Username: b.Username, Password: b.Password, Logger: r.log,
	}
}

// unique returns a client id that no other process has: a broker ends the older of two connections with one id.
func unique(id string) string {
	const digits = 8
	return id + "-" + fleet.NewSecret()[:digits]
}

// run runs f until the role stops.
func (r *runtime) run(name string, f func(context.Context) error) {
	g := task.NewGroup()
	g.Go(name, f)
	r.cleanup.Push(name, g.Stop)
}

// watchHealth checks a part again and again until the role stops.
func (r *runtime) watchHealth(name string, check func(context.Context) error) *health.Watch {
	w := health.NewWatch(check)
	r.run("the watch on "+name, w.Run)
	return w
}

// httpOptions returns the options of a server for clients, with the configured limits.
func (r *runtime) httpOptions(name string) (httpserver.Options, error) {
	secured, err := r.httpTLS()
	if err != nil {
		return httpserver.Options{}, err
	}
	l := r.conf.HTTP.Limits
	o := httpserver.Options{
		Name: name, TLS: secured, Logger: r.log, Registry: r.registry,
		Limits: httpserver.Limits{
			Connections: r.maxConnections("http.limits.connections", l.Connections), PerAddress: int(l.PerAddress),
			Bodies: int(l.Bodies),
		},
	}
	o.Limits.Proxies, err = r.proxies()
	return o, err
}

// proxies returns the trusted proxies.
func (r *runtime) proxies() (all httpserver.Proxies, err error) {
	for _, text := range r.conf.HTTP.TrustedProxies {
		if text == "" {
			continue
		}
		proxy, err := httpserver.ParseProxy(text)
		if err != nil {
			return nil, fmt.Errorf("http.trusted_proxies: %w", err)
		}
		all = append(all, proxy)
	}
	return all, nil
}

// Kinds of clients, which share the file descriptors: devices over MQTT and clients over HTTP, and with a public
// listener guests.
const (
	clientKinds           = 2
	clientKindsWithGuests = 3
)

// maxConnections returns how many connections of one kind of clients may be open: as many as the key says, unless there
// are fewer file descriptors.
func (r *runtime) maxConnections(key string, configured int64) int {
	kinds := clientKinds
	if r.conf.Public.Any() {
		kinds = clientKindsWithGuests
	}
	allowed := descriptors.Clamp(int(configured), kinds)
	if allowed < int(configured) {
		r.log.Warn("fewer connections than configured, because of the limit of file descriptors (ulimit -n)",
			"key", key, "configured", configured, "allowed", allowed, "descriptors", descriptors.Limit())
	}
	return allowed
}

// serveHealth serves /livez, /readyz and /metrics of a role.
func (r *runtime) serveHealth(ready http.Handler) (*httpserver.Server, error) {
	s, err := health.Listen(r.conf.Health.Listen, ready, r.registry, r.log)
	if err != nil {
		return nil, &ListenError{"health.listen", err}
	}
	s.Start()
	r.cleanup.Push("the health server", s.Stop)
	r.log.Info("health and metrics", "url", s.URL())
	return s, nil
}

// awaitReady waits until waiting returns nothing. It logs from time to time what is still missing.
func (r *runtime) awaitReady(ctx context.Context, waiting func() []string) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	slow := time.NewTicker(connectTimeout)
	defer slow.Stop()
	for {
		missing := waiting()
		if len(missing) == 0 {
			return nil
		}
		select {
		case <-poll.C:
		case <-slow.C:
			r.log.Warn("not ready yet", "waiting_for", strings.Join(missing, ", "))
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: still waiting for %s", strings.Join(missing, ", "))
		}
	}
}
