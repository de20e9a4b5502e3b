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
	"nhip/internal/await"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// BenchmarkFed brings rows that wait on disk home to a real InfluxDB, and lets curl send it the very
// same requests, made beforehand, over one connection. The two take turns, each with a bucket of its
// own. of-curl is the ratio of their rates; 50,000 rows of 2,500 buses a turn.
func BenchmarkFed(b *testing.B) {
	const fixes, buses = 50_000, 2_500
	child := influxtest.Child(b)
	lock := &lock{Store: influxtest.Open(b, child, "fed")}
	influxtest.Open(b, child, "curl").Close()
	c := newBenchCollector(b, lock)
	var fed, curled time.Duration
	for round := range b.N {
		lock.shut()
		var acked atomic.Int64
		for _, m := range someFixes(round*fixes/buses, fixes, buses) {
			c.Accept(m, func(error) { acked.Add(1) })
		}
		await.True(b, "all waits for the database", func() bool { return acked.Load() == fixes && c.clerk.behind() == 0 })
		began := time.Now()
		lock.open()
		await.True(b, "all is stored", func() bool { return c.Pending() == 0 })
		fed += time.Since(began)
		curled += curl(b, child, lock.requests)
	}
	rows := float64(fixes * b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rows/fed.Seconds(), "rows/s")
	b.ReportMetric(rows/curled.Seconds(), "curl-rows/s")
	b.ReportMetric(curled.Seconds()/fed.Seconds(), "of-curl")
}

// lock is a database that lets nobody in while it is shut, and knows what it was sent since.
type lock struct {
	Store
	gate     chan struct{}
	requests [][]byte
}

func (l *lock) shut() { l.gate, l.requests = make(chan struct{}), nil }

func (l *lock) open() { close(l.gate) }

// Write comes from one lane after the other here: nothing is fresh and nothing waits for long.
func (l *lock) Write(ctx context.Context, lines []byte) error {
	select {
	case <-l.gate:
	case <-ctx.Done():
		return &influx.WriteError{Kind: influx.Retry, Err: ctx.Err()}
	}
	l.requests = append(l.requests, bytes.Clone(lines))
	return l.Store.Write(ctx, lines)
}

// curl sends the requests and returns how long that took.
func curl(b *testing.B, child *influx.Child, requests [][]byte) time.Duration {
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
			child.URL()+"/api/v2/write?precision=ms&bucket=curl/autogen", "Authorization: Token "+child.Token(), "@"+path)
	}
	cmd := exec.Command("curl", "--config", "-")
	cmd.Stdin, cmd.Stderr = &config, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Skipf("curl: %v", err)
	}
	return time.Since(began)
}

// someFixes are so many of some buses, a second apart, from a second of the day on.
func someFixes(second, fixes, buses int) []nhip.Message {
	messages := make([]nhip.Message, fixes)
	for i := range messages {
		at := noon.Add(time.Duration(second+i/buses) * time.Second)
		messages[i] = nhip.Message{
			Topic: fmt.Sprintf("nhip/in/position/%d", i%buses), Received: at,
			Payload: fmt.Appendf(nil, `{"time":%q,"lat":%.5f,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`, at.Format(time.RFC3339), 21+float64(i%buses)/1e4),
		}
	}
	return messages
}
