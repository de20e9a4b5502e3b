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
	"nhip/internal/outbound"
	"nhip/internal/topics"
	"nhip/internal/wait"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of polling.
const (
	pollTimeout    = 20 * time.Second // of one request
	maxFeedBytes   = 4 << 20          // of an answer, decompressed
	maxPollBackoff = 5 * time.Minute  // between requests to a server that fails
	stalePolls     = 5                // a feed without news for so many intervals is stale
	minStaleAfter  = 2 * time.Minute  // but not before this
)

// PollerOptions configures a Poller.
type PollerOptions struct {
	Name     string        // of the feed; the last level of its topic
	URL      string        // of GTFS-realtime, one FeedMessage in Protobuf
	Every    time.Duration // interval between requests
	Header   string        // "Name: value" to send, such as an API key; empty: none
	Acceptor nhip.Acceptor
	Clock    nhip.Clock
	Logger   *slog.Logger
	Registry prometheus.Registerer

	Outgoing outbound.Policy // which addresses it may ask
}

// Poller requests a GTFS-realtime feed at an interval and passes new content on as nhip/in/gtfs-rt/<name>. Its requests
// are conditional, and it backs off from a server that fails. A feed without new content for some time is stale: the
// poller logs that, a metric shows the age, and Fresh returns false.
type Poller struct {
	o        PollerOptions
	client   *http.Client
	log      *slog.Logger
	requests *prometheus.CounterVec
	ageGauge prometheus.GaugeFunc
	fresh    atomic.Int64 // Unix ns of the last new content, by the machine's clock
	stale    bool         // as it was logged last
	failed   int          // requests failed in a row

	etag, modified string // of the last answer
	last           uint64 // hash of its body
	header         [2]string
}

// NewPoller checks the options. It makes no request before Run.
func NewPoller(o PollerOptions) (*Poller, error) {
	p := &Poller{o: o, log: o.Logger.With("component", "poller", "feed", o.Name)}
	name, value, err := ParseHeader(o.Header)
	if err != nil {
		return nil, err
	}
	p.client, err = outbound.New(outbound.Options{Policy: o.Outgoing, Timeout: pollTimeout, MaxBytes: maxFeedBytes})
	if err != nil {
		return nil, err
	}
	p.header = [2]string{name, value}
	p.fresh.Store(time.Now().UnixNano())
	labels := prometheus.Labels{"feed": o.Name}
	p.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name:        "nhip_gateway_pulls_total",
		Help:        "Requests to a GTFS-realtime feed, by outcome: fresh, unchanged, failed or unsaved.",
		ConstLabels: labels,
	}, []string{"outcome"})
	p.ageGauge = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "nhip_gateway_pull_age_seconds",
		Help:        "Seconds since a GTFS-realtime feed last had new content.",
		ConstLabels: labels,
	}, func() float64 { return p.age().Seconds() })
	return p, errors.Join(o.Registry.Register(p.requests), o.Registry.Register(p.ageGauge))
}

// ParseHeader parses "Name: value". An empty text is no header.
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

func (p *Poller) age() time.Duration { return time.Duration(time.Now().UnixNano() - p.fresh.Load()) }

// Fresh reports whether the feed has had new content recently.
func (p *Poller) Fresh() bool { return p.age() <= max(stalePolls*p.o.Every, minStaleAfter) }

// Run polls until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	for {
		delay := p.poll(ctx)
		p.logStaleness()
		if err := wait.Sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// logStaleness logs when the feed becomes stale and when it has new content again.
func (p *Poller) logStaleness() {
	switch fresh := p.Fresh(); {
	case !fresh && !p.stale:
		p.log.Warn("the feed is stale", "without_new_content_for", p.age().Round(time.Second))
		p.stale = true
	case fresh && p.stale:
		p.log.Info("the feed has new content again")
		p.stale = false
	}
}

// poll makes one request and returns the delay until the next.
func (p *Poller) poll(ctx context.Context) time.Duration {
	payload, retryAfter, err := p.get(ctx)
	if ctx.Err() != nil {
		return 0
	}
	if err != nil {
		return p.backOff(retryAfter, err)
	}
	if p.failed > 0 {
		p.log.Info("request succeeded again", "failed_requests", p.failed)
		p.failed = 0
	}
	hash := xxhash.Sum64(payload)
	if payload == nil || hash == p.last {
		p.requests.WithLabelValues("unchanged").Inc()
		return p.o.Every
	}
	if err := p.accept(ctx, payload); err != nil {
		p.etag, p.modified = "", "" // request the content again
		p.requests.WithLabelValues("unsaved").Inc()
		return p.o.Every
	}
	p.last = hash
	p.fresh.Store(time.Now().UnixNano())
	p.requests.WithLabelValues("fresh").Inc()
	return p.o.Every
}

// backOff records a failed request and returns the delay until the next: doubled with each failure in a row, at least
// what the server asks for, and at most the longer of maxPollBackoff and the feed's own interval.
func (p *Poller) backOff(retryAfter time.Duration, err error) time.Duration {
	if p.failed++; p.failed == 1 {
		p.log.Warn("request failed", "error", err)
	}
	p.requests.WithLabelValues("failed").Inc()
	backoff := max(retryAfter, p.o.Every<<min(p.failed-1, 10))
	return min(backoff, max(maxPollBackoff, p.o.Every))
}

// accept hands a payload to the acceptor and waits until it is on disk.
func (p *Poller) accept(ctx context.Context, payload []byte) error {
	outcome := make(chan error, 1)
	p.o.Acceptor.Accept(nhip.Message{
		Client: p.o.Name, Topic: topics.DeviceTopic(gtfsRealtime, p.o.Name), Payload: payload,
		Received: p.o.Clock.Now().UTC(),
	}, func(err error) { outcome <- err })
	select {
	case err := <-outcome:
		if err != nil {
			p.log.Error("content not written to disk", "error", err)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gtfsRealtime is the format of polled feeds.
const gtfsRealtime = "gtfs-rt"

// get makes a conditional request. The payload is nil if the content has not changed. With an error, retryAfter is the
// delay that the server asks for.
func (p *Poller) get(ctx context.Context) (payload []byte, retryAfter time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.o.URL, nil)
	if err != nil {
		return nil, 0, outbound.Redact(err)
	}
	setHeader(req.Header, "If-None-Match", p.etag)
	setHeader(req.Header, "If-Modified-Since", p.modified)
	setHeader(req.Header, p.header[0], p.header[1])
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, 0, outbound.Redact(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return nil, 0, nil
	case http.StatusOK:
	default:
		return nil, parseRetryAfter(resp.Header.Get("Retry-After")), fmt.Errorf("the server answered %s", resp.Status)
	}
	payload, err = io.ReadAll(resp.Body) // the client bounds it
	switch {
	case err != nil:
		return nil, 0, outbound.Redact(err)
	case len(payload) == 0:
		return nil, 0, errors.New("the answer is empty")
	}
	p.etag, p.modified = resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	return payload, 0, nil
}

func setHeader(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// parseRetryAfter returns the delay of a Retry-After header (RFC 9110 §10.2.3), at most maxPollBackoff; 0 if there is
// none.
func parseRetryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return time.Duration(min(n, int(maxPollBackoff/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(time.Until(at), 0), maxPollBackoff)
	}
	return 0
}
