package gateway

import (
	"bytes"
	"compress/gzip"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/outbound"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// newTestPoller polls a server until the test ends.
func newTestPoller(t *testing.T, d *fakeAcceptor, handler http.HandlerFunc) *Poller {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	p, err := NewPoller(PollerOptions{
		Name: "hanoi", URL: s.URL, Every: time.Millisecond, Header: "X-Api-Key: s3cret", Acceptor: d, Clock: nhip.WallClock{},
		Outgoing: outbound.Policy{Allow: []string{"127.0.0.1"}},
		Logger:   slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, p.Run)
	return p
}

func (p *Poller) count(outcome string) float64 {
	return testutil.ToFloat64(p.requests.WithLabelValues(outcome))
}

func TestPollerPassesNewContentOnce(t *testing.T) {
	var version atomic.Pointer[string]
	first, second := "first", "second"
	version.Store(&first)
	d := &fakeAcceptor{}
	p := newTestPoller(t, d, func(w http.ResponseWriter, r *http.Request) {
		now := *version.Load()
		if r.Header.Get("X-Api-Key") != "s3cret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.Header.Get("If-None-Match") == now {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", now)
		if r.Header.Get("Accept-Encoding") == "gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(now))
			_ = z.Close()
			_, _ = w.Write(b.Bytes())
			return
		}
		_, _ = w.Write([]byte(now))
	})
	awaittest.True(t, "unchanged content is not passed on", func() bool {
		return p.count("fresh") == 1 && p.count("unchanged") > 3
	})
	version.Store(&second)
	awaittest.True(t, "new content is passed on", func() bool { return p.count("fresh") == 2 && p.count("unchanged") > 6 })
	got := d.messages()
	if len(got) != 2 || got[0].Topic != "nhip/in/gtfs-rt/hanoi" || got[0].Client != "hanoi" ||
		string(got[0].Payload) != first || string(got[1].Payload) != second {
		t.Errorf("passed on as %+v", got)
	}
	if !p.Fresh() {
		t.Error("a feed with new content is stale")
	}
}

func TestPollerIgnoresRepeatedContentWithoutETag(t *testing.T) {
	d := &fakeAcceptor{}
	p := newTestPoller(t, d, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("same")) })
	awaittest.True(t, "the feed is requested again", func() bool { return p.count("unchanged") > 3 })
	if len(d.messages()) != 1 {
		t.Errorf("passed on %d times, want 1", len(d.messages()))
	}
}

func TestPollerBacksOffFromFailingServer(t *testing.T) {
	var requests atomic.Int64
	p := newTestPoller(t, &fakeAcceptor{}, func(w http.ResponseWriter, _ *http.Request) {
		switch requests.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2: // an empty answer
		case 3:
			_, _ = w.Write(make([]byte, maxFeedBytes+1))
		default:
			w.Header().Set("Retry-After", "1000")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	awaittest.True(t, "all four requests fail", func() bool { return p.count("failed") == 4 })
	<-time.After(quietTime)
	if n := requests.Load(); n != 4 {
		t.Errorf("%d requests in spite of Retry-After", n-4)
	}
	p.fresh.Store(time.Now().Add(-time.Hour).UnixNano())
	if p.Fresh() {
		t.Error("a feed without new content for an hour is fresh")
	}
}

func TestPollerBoundsRetryAfter(t *testing.T) {
	inADay := time.Now().Add(24 * time.Hour).UTC().Format(http.TimeFormat)
	for _, header := range []string{"3600", "9223372036854775807", inADay} {
		if d := parseRetryAfter(header); d != maxPollBackoff {
			t.Errorf("Retry-After %s: a delay of %s, want %s", header, d, maxPollBackoff)
		}
	}
	for header, want := range map[string]time.Duration{"": 0, "-5": 0, "soon": 0, "7": 7 * time.Second} {
		if d := parseRetryAfter(header); d != want {
			t.Errorf("Retry-After %q: a delay of %s, want %s", header, d, want)
		}
	}
}

func TestPollerRequestsUnsavedContentAgain(t *testing.T) {
	d := &fakeAcceptor{err: errors.New("disk full")}
	p := newTestPoller(t, d, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", "a")
		_, _ = w.Write([]byte("x"))
	})
	awaittest.True(t, "the content is requested again", func() bool { return p.count("unsaved") > 2 })
	d.mu.Lock()
	d.err = nil
	d.mu.Unlock()
	awaittest.True(t, "the content is saved", func() bool { return p.count("fresh") == 1 })
}

func TestParseHeader(t *testing.T) {
	for s, want := range map[string][2]string{"": {"", ""}, "A: b": {"A", "b"}, "A:b: c": {"A", "b: c"}} {
		if name, value, err := ParseHeader(s); err != nil || name != want[0] || value != want[1] {
			t.Errorf("%q: %q %q %v", s, name, value, err)
		}
	}
	for _, s := range []string{"A", ": b", "A: "} {
		if _, _, err := ParseHeader(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}
