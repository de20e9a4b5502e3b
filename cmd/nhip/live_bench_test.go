package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"golang.org/x/time/rate"
)

// BenchmarkLive is a city of 2,500 buses that speak once a second, in one process with its database,
// and someone who watches them all on /v1/live. It measures the time from the PUBLISH to the event.
// What a bus says is never the same as before, so each message must be seen; 5 s of them an iteration.
func BenchmarkLive(b *testing.B) {
	const buses, seconds = 2_500, 5
	p := up(b, b.TempDir())
	fan, err := mqtt.DialFan(b.Context(), mqtt.FanOptions{Options: p.operator(b, "buses"), Lanes: 64})
	if err != nil {
		b.Fatal(err)
	}
	w := watch(b, p.HTTP, buses*seconds)
	pace := rate.NewLimiter(buses, 10)
	var waits []time.Duration
	for b.Loop() {
		w.begin()
		for i := range buses * seconds {
			if err := pace.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
			payload := fmt.Appendf(nil, `{"time":%q,"lat":%.5f,"lon":105.85,"speed":4.57,"bearing":265,"route":"%d"}`,
				time.Now().UTC().Format(time.RFC3339Nano), 21+float64(i%buses)/1e5, i)
			w.said(i)
			if err := fan.Publish(b.Context(), fmt.Sprintf("nhip/in/position/%d", i%buses), payload); err != nil {
				b.Fatal(err)
			}
		}
		await.True(b, "every message is seen", func() bool { return w.left() == 0 })
		waits = append(waits, w.waits...)
	}
	if err := fan.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	slices.Sort(waits)
	b.ReportMetric(0, "ns/op")
	for _, percent := range []int{50, 99} {
		at := waits[(len(waits)-1)*percent/100]
		b.ReportMetric(float64(at.Microseconds())/1e3, fmt.Sprintf("p%d-ms", percent))
	}
}

// watcher follows the live city and knows when each message was said and seen.
type watcher struct {
	mu    sync.Mutex
	at    []time.Time // when it was said, by number; zero when it was seen
	out   int
	waits []time.Duration
}

// watch follows the live city until the benchmark ends.
func watch(b *testing.B, url string, most int) *watcher {
	b.Helper()
	resp, err := http.Get(url + "/v1/live")
	if err != nil {
		b.Fatal(err)
	}
	w := &watcher{at: make([]time.Time, most)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			_, rest, found := bytes.Cut(lines.Bytes(), []byte(`"route":"`))
			if !found {
				continue
			}
			number, _, _ := bytes.Cut(rest, []byte(`"`))
			if i, err := strconv.Atoi(string(number)); err == nil {
				w.saw(i)
			}
		}
	}()
	b.Cleanup(func() { _ = resp.Body.Close(); <-done })
	return w
}

func (w *watcher) begin() { w.out, w.waits = 0, nil }

func (w *watcher) said(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[i] = time.Now()
	w.out++
}

func (w *watcher) saw(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at[i].IsZero() {
		return
	}
	w.waits = append(w.waits, time.Since(w.at[i]))
	w.at[i] = time.Time{}
	w.out--
}

func (w *watcher) left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out
}

// BenchmarkMemory is the most resident memory of a collector that hears 100,000 devices over Mosquitto,
// each of which speaks every ten seconds, six times, into a real database.
func BenchmarkMemory(b *testing.B) {
	const devices, fixes, every = 100_000, 6, 10 * time.Second
	for b.Loop() {
		s := newSurroundings(b)
		p := s.collector(b)
		o := s.broker.Options(mqtttest.Gateway)
		o.ClientID = "devices"
		fan, err := mqtt.DialFan(b.Context(), mqtt.FanOptions{Options: o, Lanes: 16})
		if err != nil {
			b.Fatal(err)
		}
		pace := rate.NewLimiter(rate.Every(every/devices), 100)
		for i := range devices * fixes {
			if err := pace.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
			payload := fmt.Appendf(nil, `{"time":%q,"lat":%.5f,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`,
				time.Now().UTC().Format(time.RFC3339), 20.5+float64(i%devices)/1e5)
			if err := fan.Publish(b.Context(), fmt.Sprintf("nhip/in/position/%d", i%devices), payload); err != nil {
				b.Fatal(err)
			}
		}
		if err := fan.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(peakOf(b, p))/1e6, "peak-MB")
		if err := p.stop(b); err != nil {
			b.Errorf("the collector ended with %v", err)
		}
	}
}

// peakOf returns the most resident bytes that a process has had.
func peakOf(b *testing.B, p *running) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Skipf("this system does not tell a process's memory: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		b.Fatal(err)
	}
	return kB << 10
}
