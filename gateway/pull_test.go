package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// newPull pulls from a server until the test ends.
func newPull(t *testing.T, d *door, answer http.HandlerFunc) *Pull {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	p, err := NewPull(PullOptions{
		Name: "city", URL: s.URL, Every: time.Millisecond, Header: "X-Api-Key: s3cret", Door: d, Clock: nhip.WallClock{},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return p
}

func (p *Pull) count(outcome string) float64 {
	return testutil.ToFloat64(p.pulls.WithLabelValues(outcome))
}

func TestWhatIsNewIsPulledOnce(t *testing.T) {
	var version atomic.Pointer[string]
	first, second := "first", "second"
	version.Store(&first)
	d := &door{}
	p := newPull(t, d, func(w http.ResponseWriter, r *http.Request) {
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
	await.True(t, "what is unchanged is not carried on", func() bool { return p.count("fresh") == 1 && p.count("unchanged") > 3 })
	version.Store(&second)
	await.True(t, "what is new is", func() bool { return p.count("fresh") == 2 && p.count("unchanged") > 6 })
	got := d.messages()
	if len(got) != 2 || got[0].Topic != "nhip/in/gtfs-rt/city" || got[0].Client != "city" || string(got[0].Payload) != first || string(got[1].Payload) != second {
		t.Errorf("carried on as %+v", got)
	}
	if !p.Fresh() {
		t.Error("a feed that speaks is stale")
	}
}

func TestAServerThatKnowsNoConditionsIsPulledOnceToo(t *testing.T) {
	d := &door{}
	p := newPull(t, d, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("same")) })
	await.True(t, "it is asked again", func() bool { return p.count("unchanged") > 3 })
	if len(d.messages()) != 1 {
		t.Errorf("carried on %d times", len(d.messages()))
	}
}

func TestAServerThatDoesNotAnswerIsLeftAlone(t *testing.T) {
	var asked atomic.Int64
	p := newPull(t, &door{}, func(w http.ResponseWriter, _ *http.Request) {
		switch asked.Add(1) {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2: // and nothing
		case 3:
			_, _ = w.Write(make([]byte, maxPull+1))
		default:
			w.Header().Set("Retry-After", "1000")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	await.True(t, "it fails", func() bool { return p.count("failed") == 4 })
	<-time.After(absent)
	if n := asked.Load(); n != 4 {
		t.Errorf("a server that asks to be left alone was asked %d times", n-3)
	}
	p.fresh.Store(time.Now().Add(-time.Hour).UnixNano())
	if p.Fresh() {
		t.Error("a feed that is silent for an hour is fresh")
	}
}

func TestWhatCantBeSavedIsPulledAgain(t *testing.T) {
	d := &door{err: errors.New("disk full")}
	p := newPull(t, d, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", "a")
		_, _ = w.Write([]byte("x"))
	})
	await.True(t, "it is tried again", func() bool { return p.count("unsaved") > 2 })
	d.mu.Lock()
	d.err = nil
	d.mu.Unlock()
	await.True(t, "it is saved", func() bool { return p.count("fresh") == 1 })
}

func TestHeadersOfAPull(t *testing.T) {
	for s, want := range map[string][2]string{"": {"", ""}, "A: b": {"A", "b"}, "A:b: c": {"A", "b: c"}} {
		if name, value, err := ParseHeader(s); err != nil || name != want[0] || value != want[1] {
			t.Errorf("%q: %q %q %v", s, name, value, err)
		}
	}
	for _, s := range []string{"A", ": b", "A: "} {
		if _, _, err := ParseHeader(s); err == nil {
			t.Errorf("%q is a header", s)
		}
	}
}
