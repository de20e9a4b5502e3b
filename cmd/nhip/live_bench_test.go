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

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"

	"golang.org/x/time/rate"
)

// BenchmarkLive runs a city of 2,500 buses that publish once a second, in one process with its database, and a client
// that follows all of them on /v1/live. It measures the time from the PUBLISH to the event. No position is repeated,
// so that each message causes an event. An iteration takes 5 s.
func BenchmarkLive(b *testing.B) {
	const buses, seconds = 2_500, 5
	p := launchUp(b, b.TempDir())
	publisher, err := publish.Dial(b.Context(), publish.Options{
		Options: p.Operator(b, "buses"), Connections: 64,
	})
	if err != nil {
		b.Fatal(err)
	}
	w := watchLive(b, p.HTTP, buses*seconds)
	pace := rate.NewLimiter(buses, 10)
	var delays []time.Duration
	for b.Loop() {
		w.begin()
		for i := range buses * seconds {
			if err := pace.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
			payload := fmt.Appendf(nil, `{"time":%q,"lat":%.5f,"lon":105.85,"speed":4.57,"bearing":265,"route":"%d"}`,
				time.Now().UTC().Format(time.RFC3339Nano), 21+float64(i%buses)/1e5, i)
			w.published(i)
			if err := publisher.Publish(b.Context(), fmt.Sprintf("nhip/in/position/%d", i%buses), payload); err != nil {
				b.Fatal(err)
			}
		}
		awaittest.True(b, "there is an event for every message", func() bool { return w.missing() == 0 })
		delays = append(delays, w.delays...)
	}
	if err := publisher.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	slices.Sort(delays)
	b.ReportMetric(0, "ns/op")
	for _, percent := range []int{50, 99} {
		at := delays[(len(delays)-1)*percent/100]
		b.ReportMetric(float64(at.Microseconds())/1e3, fmt.Sprintf("p%d-ms", percent))
	}
}

// liveWatcher follows /v1/live and measures the delay of each message, whose number is its route.
type liveWatcher struct {
	mu     sync.Mutex
	at     []time.Time // of publication, by number; zero after the event
	left   int
	delays []time.Duration
}

// watchLive follows the live city until the benchmark ends.
func watchLive(b *testing.B, url string, most int) *liveWatcher {
	b.Helper()
	resp, err := http.Get(url + "/v1/live")
	if err != nil {
		b.Fatal(err)
	}
	w := &liveWatcher{at: make([]time.Time, most)}
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
				w.received(i)
			}
		}
	}()
	b.Cleanup(func() { _ = resp.Body.Close(); <-done })
	return w
}

func (w *liveWatcher) begin() { w.left, w.delays = 0, nil }

func (w *liveWatcher) published(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at[i] = time.Now()
	w.left++
}

func (w *liveWatcher) received(i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at[i].IsZero() {
		return
	}
	w.delays = append(w.delays, time.Since(w.at[i]))
	w.at[i] = time.Time{}
	w.left--
}

func (w *liveWatcher) missing() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left
}

// BenchmarkMemory measures the peak resident memory of a collector with 100,000 devices on Mosquitto and a real
// database. Each device publishes six times, every ten seconds.
func BenchmarkMemory(b *testing.B) {
	const devices, positions, every = 100_000, 6, 10 * time.Second
	for b.Loop() {
		e := newEnvironment(b)
		p := e.collector(b)
		o := e.broker.Options(mqtttest.Gateway)
		o.ClientID = "devices"
		publisher, err := publish.Dial(b.Context(), publish.Options{Options: o, Connections: 16})
		if err != nil {
			b.Fatal(err)
		}
		pace := rate.NewLimiter(rate.Every(every/devices), 100)
		for i := range devices * positions {
			if err := pace.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
			payload := fmt.Appendf(nil, `{"time":%q,"lat":%.5f,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`,
				time.Now().UTC().Format(time.RFC3339), 20.5+float64(i%devices)/1e5)
			topic := fmt.Sprintf("nhip/in/position/%d", i%devices)
			if err := publisher.Publish(b.Context(), topic, payload); err != nil {
				b.Fatal(err)
			}
		}
		if err := publisher.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(peakMemory(b, p))/1e6, "peak-MB")
		if err := p.stop(b); err != nil {
			b.Errorf("the collector ended with %v", err)
		}
	}
}

// peakMemory returns the most resident bytes that a process has had.
func peakMemory(b *testing.B, p *process) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Skipf("this system does not show a process's memory: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		b.Fatal(err)
	}
	return kB << 10
}
