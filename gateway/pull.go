package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/pause"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of a pull.
const (
	pullTimeout    = 20 * time.Second // of one request
	maxPull        = 4 << 20          // bytes, unpacked
	maxPullBackoff = 5 * time.Minute  // between requests to who does not answer
	stalePulls     = 5                // that bring nothing new make a feed stale
	staleAtLeast   = 2 * time.Minute
)

// PullOptions say what a Pull needs.
type PullOptions struct {
	Name     string        // of the feed; its topic ends with it
	URL      string        // of GTFS-realtime vehicle positions, one FeedMessage in Protobuf
	Every    time.Duration // how often it is asked
	Header   string        // "Name: value" that the server asks for, a key perhaps; empty: none
	Door     nhip.Door
	Clock    nhip.Clock
	Logger   *slog.Logger
	Registry prometheus.Registerer

	client *http.Client // a client of its own; another in tests
}

// Pull asks a GTFS-realtime feed time and again, and carries what is new on to nhip/in/gtfs-rt/<name>. It asks
// whether anything changed since, and steps back from a server that does not answer. A feed that has brought
// nothing new for a while is stale: it is logged, a metric tells, and so does Fresh.
type Pull struct {
	o      PullOptions
	log    *slog.Logger
	pulls  *prometheus.CounterVec
	stale  prometheus.GaugeFunc
	fresh  atomic.Int64 // when something new came last, Unix ns by the machine's clock
	silent bool         // it was told that the feed is stale
	failed int          // requests in a row

	etag, modified string // of the last answer
	last           uint64 // hash of its body
	header         [2]string
}

// NewPull checks the options. Nothing is asked before Run.
func NewPull(o PullOptions) (*Pull, error) {
	p := &Pull{o: o, log: o.Logger.With("component", "pull", "feed", o.Name)}
	if o.client == nil {
		p.o.client = &http.Client{Timeout: pullTimeout}
	}
	name, value, err := ParseHeader(o.Header)
	if err != nil {
		return nil, err
	}
	p.header = [2]string{name, value}
	p.fresh.Store(time.Now().UnixNano())
	labels := prometheus.Labels{"feed": o.Name}
	p.pulls = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_gateway_pulls_total", Help: "Requests to a GTFS-realtime feed, by outcome: fresh, unchanged, failed or unsaved.", ConstLabels: labels,
	}, []string{"outcome"})
	p.stale = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_gateway_pull_age_seconds", Help: "Time since a GTFS-realtime feed brought something new.", ConstLabels: labels,
	}, func() float64 { return p.age().Seconds() })
	return p, errors.Join(o.Registry.Register(p.pulls), o.Registry.Register(p.stale))
}

// ParseHeader reads "Name: value"; nothing is no header.
func ParseHeader(s string) (name, value string, err error) {
	if s == "" {
		return "", "", nil
	}
	name, value, _ = strings.Cut(s, ":")
	if value = strings.TrimSpace(value); name == "" || value == "" {
		return "", "", errors.New(`must be a header as in "X-Api-Key: secret"`)
	}
	return name, value, nil
}

func (p *Pull) age() time.Duration { return time.Duration(time.Now().UnixNano() - p.fresh.Load()) }

// Fresh reports whether the feed has brought something new lately.
func (p *Pull) Fresh() bool { return p.age() <= max(stalePulls*p.o.Every, staleAtLeast) }

// Run asks until ctx ends.
func (p *Pull) Run(ctx context.Context) {
	for {
		wait := p.ask(ctx)
		p.announce()
		if !pause.For(ctx, wait) {
			return
		}
	}
}

// announce tells once that the feed is stale, and once that it is not any more.
func (p *Pull) announce() {
	switch fresh := p.Fresh(); {
	case !fresh && !p.silent:
		p.log.Warn("the feed is stale: it has brought nothing new", "for", p.age().Round(time.Second))
		p.silent = true
	case fresh && p.silent:
		p.log.Info("the feed brings something new again")
		p.silent = false
	}
}

// ask makes one request and returns how long to wait for the next.
func (p *Pull) ask(ctx context.Context) time.Duration {
	payload, after, err := p.get(ctx)
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		if p.failed++; p.failed == 1 {
			p.log.Warn("the feed does not answer as it should", "error", err)
		}
		p.pulls.WithLabelValues("failed").Inc()
		backoff := p.o.Every << min(p.failed-1, 10)
		return max(after, min(backoff, max(maxPullBackoff, p.o.Every)))
	}
	if p.failed > 0 {
		p.log.Info("the feed answers again", "failed_requests", p.failed)
		p.failed = 0
	}
	hash := xxhash.Sum64(payload)
	if payload == nil || hash == p.last {
		p.pulls.WithLabelValues("unchanged").Inc()
		return p.o.Every
	}
	if err := p.carry(ctx, payload); err != nil {
		p.etag, p.modified = "", "" // it is asked for again
		p.pulls.WithLabelValues("unsaved").Inc()
		return p.o.Every
	}
	p.last = hash
	p.fresh.Store(time.Now().UnixNano())
	p.pulls.WithLabelValues("fresh").Inc()
	return p.o.Every
}

// carry takes a payload through the door and waits for the disk.
func (p *Pull) carry(ctx context.Context, payload []byte) error {
	outcome := make(chan error, 1)
	p.o.Door.Accept(nhip.Message{
		Client: p.o.Name, Topic: mqtt.In + gtfsRealtime + "/" + p.o.Name, Payload: payload, Received: p.o.Clock.Now().UTC(),
	}, func(err error) { outcome <- err })
	select {
	case err := <-outcome:
		if err != nil {
			p.log.Error("what the feed says can't be put on disk", "error", err)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gtfsRealtime is the format that is pulled.
const gtfsRealtime = "gtfs-rt"

// get makes a conditional request. The payload is nil when nothing changed; with an error, after says how
// long the server asks to be left alone.
func (p *Pull) get(ctx context.Context) (payload []byte, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.o.URL, nil)
	if err != nil {
		return nil, 0, err
	}
	set(req.Header, "If-None-Match", p.etag)
	set(req.Header, "If-Modified-Since", p.modified)
	set(req.Header, p.header[0], p.header[1])
	resp, err := p.o.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return nil, 0, nil
	case http.StatusOK:
	default:
		return nil, retryAfter(resp.Header.Get("Retry-After")), fmt.Errorf("answers %s", resp.Status)
	}
	payload, err = io.ReadAll(io.LimitReader(resp.Body, maxPull+1))
	switch {
	case err != nil:
		return nil, 0, err
	case len(payload) > maxPull:
		return nil, 0, fmt.Errorf("answers with more than %d bytes", maxPull)
	case len(payload) == 0:
		return nil, 0, errors.New("answers with nothing")
	}
	p.etag, p.modified = resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	return payload, 0, nil
}

func set(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// retryAfter reads the header of that name (RFC 9110 §10.2.3); 0 where it says nothing.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return min(time.Duration(n)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(time.Until(at), 0), time.Hour)
	}
	return 0
}
