package collector

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/influxd"
)

// BenchmarkFed measures the rate at which the outbox is written to a real InfluxDB, alternating with curl, which sends
// the same requests over one connection to another bucket. of-curl is the ratio of their rates. One iteration is
// 50,000 rows of 2,500 buses.
func BenchmarkFed(b *testing.B) {
	const positions, buses = 50_000, 2_500
	server := influxtest.Embedded(b)
	store := &gatedStore{Store: influxtest.Open(b, server, "fed")}
	influxtest.Open(b, server, "curl").Close()
	c := newBenchCollector(b, store)
	var fed, curled time.Duration
	for round := range b.N {
		store.close()
		var acked atomic.Int64
		for _, m := range benchPositions(round*positions/buses, positions, buses) {
			c.Accept(m, func(error) { acked.Add(1) })
		}
		awaittest.True(b, "all rows are in the outbox", func() bool {
			return acked.Load() == positions && c.dedup.behind() == 0
		})
		began := time.Now()
		store.open()
		awaittest.True(b, "all rows are stored", func() bool { return c.Pending() == 0 })
		fed += time.Since(began)
		curled += curl(b, server, store.requests)
	}
	rows := float64(positions * b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rows/fed.Seconds(), "rows/s")
	b.ReportMetric(rows/curled.Seconds(), "curl-rows/s")
	b.ReportMetric(curled.Seconds()/fed.Seconds(), "of-curl")
}

// gatedStore is a database whose writes block while it is closed. It records the requests since then.
type gatedStore struct {
	Store
	gate     chan struct{}
	requests [][]byte
}

func (s *gatedStore) close() { s.gate, s.requests = make(chan struct{}), nil }

func (s *gatedStore) open() { close(s.gate) }

// Write needs no lock, because no row of the benchmark is old enough for a second writer.
func (s *gatedStore) Write(ctx context.Context, lines []byte) error {
	select {
	case <-s.gate:
	case <-ctx.Done():
		return &influx.WriteError{Kind: influx.Retry, Err: ctx.Err()}
	}
	s.requests = append(s.requests, bytes.Clone(lines))
	return s.Store.Write(ctx, lines)
}

// curl sends the requests and returns the time that took.
func curl(b *testing.B, server *influxd.Server, requests [][]byte) time.Duration {
	b.Helper()
	dir := b.TempDir()
	var config bytes.Buffer
	for i, lines := range requests {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, lines, 0o600); err != nil {
			b.Fatal(err)
		}
		if i > 0 {
			config.WriteString("next\n")
		}
		fmt.Fprintf(&config, "url = %q\nheader = %q\ndata-binary = %q\nfail\nsilent\nshow-error\n",
			server.URL()+"/api/v2/write?precision=ms&bucket=curl/autogen", "Authorization: Token "+server.Token(), "@"+path)
	}
	cmd := exec.Command("curl", "--config", "-")
	cmd.Stdin, cmd.Stderr = &config, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Skipf("curl: %v", err)
	}
	return time.Since(began)
}

// benchPositions returns n positions of a number of buses, one per bus and second, starting at a second after noon.
func benchPositions(second, n, buses int) []nhip.Message {
	messages := make([]nhip.Message, n)
	for i := range messages {
		at := noon.Add(time.Duration(second+i/buses) * time.Second)
		messages[i] = nhip.Message{
			Topic: fmt.Sprintf("nhip/in/position/%d", i%buses), Received: at,
			Payload: benchPayload(at, 21+float64(i%buses)/1e4),
		}
	}
	return messages
}

func benchPayload(at time.Time, lat float64) []byte {
	const format = `{"time":%q,"lat":%.5f,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`
	return fmt.Appendf(nil, format, at.Format(time.RFC3339), lat)
}
