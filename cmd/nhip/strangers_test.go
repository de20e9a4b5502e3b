package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/publish"
	"nhip/internal/suitetest"

	"golang.org/x/time/rate"
)

// The devices of TestStrangersDoNotDelayDevices: a city of buses, and some whose acknowledgements are measured one by
// one.
const (
	floodedBuses = 2_500
	floodedRate  = 250 // messages a second of all buses
	probes       = 4
	probeEvery   = 50 * time.Millisecond
)

// crowd is a load of wrk on one address of the api.
type crowd struct {
	name, path  string
	connections int
}

// crowds returns the strangers: of lists, tiles and the history.
func crowds() []crowd {
	scale := suitetest.Pick(20, 1)
	return []crowd{
		{"lists", "/v1/buses?near=21.03,105.85&limit=50", 2_000 / scale},
		{"tiles", "/tiles/transit/13/6504/3606.mvt", 1_000 / scale},
		{"history", "/v1/stations/monitor/readings?period=hour", 500 / scale},
	}
}

// result is what a crowd got: answers with status 200, and others, a second.
type result struct{ good, refused float64 }

var (
	wrkTotal = regexp.MustCompile(`(?m)^ +([0-9]+) requests in ([0-9.]+)(m?s|m),`)
	wrkBad   = regexp.MustCompile(`(?m)^ +Non-2xx or 3xx responses: ([0-9]+)$`)
)

// run loads the api with low priority, as strangers elsewhere do not take its processors.
func (c crowd) run(t *testing.T, url string, connections int, took time.Duration) result {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "nice", "-n", "19", "wrk", "-t", "1", "-c",
		strconv.Itoa(max(connections, 1)), "--timeout", "10s", "-d", fmt.Sprintf("%.0fs", took.Seconds()),
		url+c.path).CombinedOutput()
	if err != nil {
		t.Errorf("wrk: %v\n%s", err, out)
		return result{}
	}
	total := wrkTotal.FindSubmatch(out)
	if total == nil {
		t.Errorf("wrk printed no measurement: %s", out)
		return result{}
	}
	n, _ := strconv.ParseFloat(string(total[1]), 64)
	bad := 0.0
	if m := wrkBad.FindSubmatch(out); m != nil {
		bad, _ = strconv.ParseFloat(string(m[1]), 64)
	}
	return result{(n - bad) / took.Seconds(), bad / took.Seconds()}
}

// flood lets all crowds load the api at once and returns what each got.
func flood(t *testing.T, url string, took time.Duration) map[string]result {
	t.Helper()
	got := make(map[string]result)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, c := range crowds() {
		all.Go(func() {
			r := c.run(t, url, c.connections, took)
			mu.Lock()
			defer mu.Unlock()
			got[c.name] = r
		})
	}
	all.Wait()
	return got
}

// ackWatch measures how long acknowledgements take.
type ackWatch struct {
	mu    sync.Mutex
	delay []time.Duration
}

// probe publishes one message after the other until ctx ends.
func (a *ackWatch) probe(ctx context.Context, device *mqtt.Client, id int) error {
	pace := rate.NewLimiter(rate.Every(probeEvery), 1)
	for pace.Wait(ctx) == nil {
		began := time.Now()
		payload := fmt.Appendf(nil, `{"time":%q,"lat":21.5,"lon":105.5}`, began.UTC().Format(time.RFC3339Nano))
		token := device.Publish(fmt.Sprintf("nhip/in/position/probe-%d", id), 1, false, payload)
		if !token.WaitTimeout(awaittest.Timeout) || token.Error() != nil {
			return fmt.Errorf("no acknowledgement: %w", token.Error())
		}
		a.mu.Lock()
		a.delay = append(a.delay, time.Since(began))
		a.mu.Unlock()
	}
	return nil
}

// take returns the delays since the last call, sorted.
func (a *ackWatch) take() []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.delay
	a.delay = nil
	slices.Sort(out)
	return out
}

// percentile returns a percentile of sorted values, 0 if there are none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)*p/100]
}

// TestStrangersDoNotDelayDevices loads the public addresses of nhip up with more clients than it can serve. Devices
// are acknowledged and the live map is current as before, and what the api can serve is served. The full form
// measures.
func TestStrangersDoNotDelayDevices(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("wrk is missing; install with: apt-get install wrk")
	}
	turn := suitetest.Pick(time.Second, 10*time.Second)
	p := launchUp(t, t.TempDir(), "--config", apptest.WriteFile(t, "nhip.yaml", "http: {limits: {history: 0}}"))
	for i := range 24 {
		at := time.Now().UTC().Add(-time.Duration(i) * time.Hour)
		p.Publish(t, apptest.Message{
			Topic:   "nhip/in/reading/monitor",
			Payload: fmt.Sprintf(`{"time":%q,"period":"1h","values":{"pm25":%d}}`, at.Format(time.RFC3339), 20+i),
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer func() { cancel(); running.Wait() }()
	events := startFloodedCity(t, ctx, &running, p)
	acks := new(ackWatch)
	for i := range probes {
		o := p.Operator(t, fmt.Sprintf("probe-%d", i))
		device, err := mqtt.Dial(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(device.Close)
		running.Go(func() {
			if err := acks.probe(ctx, device, i); err != nil {
				t.Error(err)
			}
		})
	}
	awaittest.True(t, "the city is complete", func() bool {
		resp, err := http.Get(p.HTTP + "/v1/buses")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		return bytes.Count(raw, []byte(`"Feature"`)) >= floodedBuses
	})
	awaittest.True(t, "events of a quiet city", func() bool { return len(events.take()) > 0 })
	acks.take()
	awaittest.True(t, "quiet acknowledgements", func() bool { time.Sleep(turn); return true })
	quiet := acks.take()
	capacity := make(map[string]float64)
	for _, c := range crowds() {
		if suitetest.Full() {
			capacity[c.name] = c.run(t, p.HTTP, 32, turn).good
		}
	}
	var flooded, delays []time.Duration
	var got map[string]result
	awaittest.True(t, "acknowledgements and events in a flood", func() bool {
		acks.take()
		events.take()
		got = flood(t, p.HTTP, turn)
		flooded, delays = acks.take(), events.take()
		return t.Failed() || len(flooded) > 0 && len(delays) > 0
	})
	share := 0.0
	for name, r := range got {
		share += r.good / capacity[name]
		t.Logf("%s: %.0f/s served, %.0f/s refused; %.0f/s alone", name, r.good, r.refused, capacity[name])
		if r.good == 0 {
			t.Errorf("no %s were served", name)
		}
	}
	ratio := float64(percentile(flooded, 99)) / float64(percentile(quiet, 99))
	t.Logf("goodput %.2f of capacity; PUBACK p50 %s, p90 %s, p99 %s quiet; p50 %s, p90 %s, p99 %s flooded (%.1f times); "+
		"events p50 %s, p99 %s", share, percentile(quiet, 50), percentile(quiet, 90), percentile(quiet, 99),
		percentile(flooded, 50),
		percentile(flooded, 90),
		percentile(flooded, 99), ratio, percentile(delays, 50), percentile(delays, 99))
	// On a machine with other loads the ratio says little: there the absolute delay decides.
	slow := ratio > 5 && percentile(flooded, 99) > 250*time.Millisecond
	if suitetest.Full() && (slow || percentile(delays, 99) > time.Second || share < 0.85) {
		t.Error("strangers delay the devices, or the api wastes what it could serve")
	}
}

// eventWatch measures the delay from a publication to the event on /v1/live.
type eventWatch struct {
	mu    sync.Mutex
	delay []time.Duration
}

func (e *eventWatch) take() []time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.delay
	e.delay = nil
	slices.Sort(out)
	return out
}

// startFloodedCity publishes the positions of buses until ctx ends, and follows a part of them on /v1/live.
func startFloodedCity(t *testing.T, ctx context.Context, running *sync.WaitGroup, p *process) *eventWatch {
	t.Helper()
	publisher, err := publish.Dial(ctx, publish.Options{Options: p.Operator(t, "buses"), Connections: 8})
	if err != nil {
		t.Fatal(err)
	}
	sent := make([]time.Time, floodedBuses)
	var mu sync.Mutex
	payload := func(i int) []byte {
		now := time.Now()
		mu.Lock()
		sent[i] = now
		mu.Unlock()
		return fmt.Appendf(nil, `{"time":%q,"lat":%.5f,"lon":105.85,"route":"%d"}`,
			now.UTC().Format(time.RFC3339Nano), 21+float64(i)/1e5, i)
	}
	topic := func(i int) string { return fmt.Sprintf("nhip/in/position/%d", i) }
	for i := range floodedBuses {
		if err := publisher.Publish(ctx, topic(i), payload(i)); err != nil {
			t.Fatal(err)
		}
	}
	running.Go(func() {
		pace := rate.NewLimiter(floodedRate, 10)
		for i := 0; pace.Wait(ctx) == nil; i++ {
			bus := i * 7 % floodedBuses                          // some of any 10 are in the box
			_ = publisher.Publish(ctx, topic(bus), payload(bus)) // fails when ctx ends
		}
		ended, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
		defer cancel()
		if err := publisher.Close(ended); err != nil {
			t.Errorf("messages are not acknowledged: %v", err)
		}
	})
	w := new(eventWatch)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.HTTP+"/v1/live?bbox=105.8,20.99,105.9,21.005", nil)
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("live: %s", resp.Status)
			return
		}
		_ = readEvents(resp.Body, func(line string) { // ends with ctx
			now := time.Now()
			_, rest, found := strings.Cut(line, `"route":"`)
			number, _, _ := strings.Cut(rest, `"`)
			i, err := strconv.Atoi(number)
			if !found || err != nil {
				return
			}
			mu.Lock()
			at := sent[i]
			mu.Unlock()
			w.mu.Lock()
			w.delay = append(w.delay, now.Sub(at))
			w.mu.Unlock()
		})
	})
	return w
}

func readEvents(r io.Reader, each func(line string)) error {
	buf := make([]byte, 64<<10)
	rest := ""
	for {
		n, err := r.Read(buf)
		rest += string(buf[:n])
		for {
			line, more, found := strings.Cut(rest, "\n")
			if !found {
				break
			}
			each(line)
			rest = more
		}
		if err != nil {
			return err
		}
	}
}
