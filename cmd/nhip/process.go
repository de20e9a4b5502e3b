package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/gateway"
	"nhip/geo/network"
	"nhip/internal/certs"
	"nhip/internal/cleanup"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt"
	"nhip/internal/timetable"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Bounds of starting, and of stopping each part.
const (
	connectTimeout = 8 * time.Second
	stopTimeout    = 10 * time.Second
	readyPoll      = 50 * time.Millisecond
)

// gcPercent lets garbage be half of what is in use before it is collected. With Go's own 100, a collector
// of 100,000 devices takes a quarter more memory; the processor's part did not change measurably.
const gcPercent = 50

// process is what every command has that runs until it is stopped.
type process struct {
	*env
	conf     config.Config
	clock    nhip.Clock
	dir      *datadir.Dir
	registry *prometheus.Registry
	roots    *x509.CertPool // who vouches for the broker that all share; nil: whom the system trusts
	pulls    []*gateway.Pull
	fleet    *fleet.Watch
	source   *timetable.Source // of the timetable; nil: none is configured
	followed *network.Network  // the timetable that buses are followed on; nil: none
	cleanup  cleanup.Stack
}

func newProcess(e *env) *process {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	p := &process{env: e, clock: nhip.WallClock{}, registry: prometheus.NewRegistry()}
	p.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return p
}

// live takes the steps of the start, one after the other, waits for the end of the context, and
// undoes what was started, last first; so too when a step fails.
func (p *process) live(steps ...func() error) (err error) {
	defer func() { err = errors.Join(err, p.cleanup.Run(stopTimeout, p.log)) }()
	for _, step := range steps {
		if err := step(); err != nil {
			if p.ctx.Err() != nil {
				return errStopped
			}
			return err
		}
	}
	<-p.ctx.Done()
	p.log.Info("stopping")
	return nil
}

// configure takes the configuration and the clock that hold.
func (p *process) configure(file string, flags []config.Flag, clock string) error {
	set := effective(file, flags)
	if err := set.Err(); err != nil {
		return err
	}
	p.conf = set.Config
	var err error
	if p.conf.Broker.CA != "" {
		if p.roots, err = certs.Pool(p.conf.Broker.CA); err != nil {
			return fmt.Errorf("broker.ca: %w", err)
		}
	}
	p.clock, err = parseClock(clock)
	return err
}

// openDataDir takes the folder for a role.
func (p *process) openDataDir(path string, role datadir.Role) error {
	var err error
	if p.dir, err = datadir.Open(path, role); err != nil {
		return err
	}
	p.cleanup.Push("the data folder", func(context.Context) error { return p.dir.Close() })
	return nil
}

// markDataDir holds simulated and real facts apart.
func (p *process) markDataDir(simulate bool) error {
	if simulate {
		return p.dir.Simulate()
	}
	return p.dir.Real()
}

// outside says how a role that runs apart connects to the broker that all share.
func (p *process) outside(id string) mqtt.Options {
	b := p.conf.Broker
	return mqtt.Options{URL: b.URL, Roots: p.roots, ClientID: id, Username: b.Username, Password: b.Password, Logger: p.log}
}

// need refuses to start a role without a key that all of them share.
func need(key, value, flag string) error {
	if value == "" {
		return fmt.Errorf("%s: is required by a role that runs apart (%s, %s or the configuration file)", key, flag, config.Variable(key))
	}
	return nil
}

// answer serves health and numbers of a role that has no HTTP of its own.
func (p *process) answer(ready *health.Readiness) (*httpserver.Server, error) {
	s, err := health.Listen(p.conf.Health.Listen, ready, p.registry, p.log)
	if err != nil {
		return nil, hint(err, "--health")
	}
	s.Start()
	p.cleanup.Push("the health server", s.Stop)
	return s, nil
}

// watch keeps asking a part whether it is there.
func (p *process) watch(name string, ask func(context.Context) error) *health.Watch {
	w := health.NewWatch(ask)
	p.run("the watch on "+name, w.Run)
	return w
}

// awaitReady waits until nothing is waited for any more, or ctx ends. What takes long is told.
func (p *process) awaitReady(ctx context.Context, waiting func() []string) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	slow := time.NewTicker(connectTimeout)
	defer slow.Stop()
	for {
		left := waiting()
		if len(left) == 0 {
			return nil
		}
		select {
		case <-poll.C:
		case <-slow.C:
			p.log.Warn("not ready yet", "waiting_for", strings.Join(left, ", "))
		case <-ctx.Done():
			if p.ctx.Err() != nil {
				return p.ctx.Err()
			}
			return fmt.Errorf("not ready in time: still waiting for %s", strings.Join(left, ", "))
		}
	}
}

// feeds are the configured ones, as the collector wants them, and behind them those of what a gateway carries
// in over HTTP and from files: nhip/in/<format>/<device> is read as the first feed of the format says.
func (p *process) feeds() []decode.Feed {
	all := slices.Clone(p.conf.Feeds)
	for _, f := range p.conf.Feeds {
		f.Topic = mqtt.In + f.Format + "/+"
		if !slices.ContainsFunc(all, func(other config.Feed) bool { return mqtt.Covers(other.Topic, f.Topic) }) {
			all = append(all, f)
		}
	}
	all = append(all, p.imports()...)
	out := make([]decode.Feed, len(all))
	for i, f := range all {
		fields, _ := decode.ParseFields(f.Fields) // the configuration was checked
		out[i] = decode.Feed{
			Topic: f.Topic, Format: f.Format, Agency: f.Agency, Latency: f.Latency,
			Zone: location(f.Zone), Period: f.Period, SpeedUnit: f.SpeedUnit, Fields: fields,
		}
	}
	return out
}

// imports are the feeds of histories: each format that can be imported is read as its first feed says.
func (p *process) imports() []config.Feed {
	var all []config.Feed
	for _, format := range importFormats() {
		f := config.Feed{Format: format, Agency: agencyOfImports}
		if i := slices.IndexFunc(p.conf.Feeds, func(other config.Feed) bool { return other.Format == format }); i >= 0 {
			f = p.conf.Feeds[i]
		}
		f.Topic = mqtt.Import + format + "/+"
		all = append(all, f)
	}
	return all
}

// agencyOfImports stands where no feed of the format names one; readings have none.
const agencyOfImports = "import"

// location returns the zone of a name that the configuration has checked; nil where none is set.
func location(name string) *time.Location {
	if name == "" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// unique makes a client id that no other process has: two with one id would throw each other out.
func unique(id string) string {
	const enough = 8 // hexadecimal digits
	return id + "-" + fleet.NewSecret()[:enough]
}

// hint adds to a port in use which flag chooses another.
func hint(err error, flag string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; choose another with %s HOST:PORT", err, flag)
	}
	return err
}

// attribution is what stands on the map where nothing is configured.
func (p *process) attribution(simulated bool) string {
	if simulated {
		return cmp.Or(p.conf.Map.Attribution, simulatedAttribution)
	}
	return p.conf.Map.Attribution
}
