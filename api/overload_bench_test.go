package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/api/quota"
)

// riders ask an api for lists over connections of their own. Each asks in its interval, or, without one, as soon as it
// has the answer; it waits as long as a refusal says.
type riders struct {
	addr     string
	paths    []string
	n        int
	interval time.Duration
	addrs    int    // of the loopback network that they share
	token    string // the operator's, whom no rate limits; "" for none

	mu      sync.Mutex
	begun   int // riders that have an answer
	served  []time.Duration
	refused int
}

// run lets all ask until ctx ends.
func (c *riders) run(ctx context.Context) error {
	var all sync.WaitGroup
	failed := make(chan error, c.n)
	for i := range c.n {
		all.Go(func() {
			if err := c.ask(ctx, i); err != nil && ctx.Err() == nil {
				failed <- err
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// ask lets one ask until ctx ends.
func (c *riders) ask(ctx context.Context, i int) error {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	if !pause(ctx, time.Duration(r.Float64()*float64(c.interval))) {
		return nil
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%max(1, c.addrs)))}}
	conn, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	in := bufio.NewReaderSize(conn, 16<<10)
	for first := true; ; first = false {
		began := time.Now()
		wait, err := c.askOnce(conn, in, c.paths[r.IntN(len(c.paths))])
		if err != nil {
			return err
		}
		if first {
			c.mu.Lock()
			c.begun++
			c.mu.Unlock()
		}
		if wait = max(wait, c.interval-time.Since(began)); !pause(ctx, wait) {
			return nil
		}
	}
}

// askOnce sends a request and returns how long a refusal says to wait.
func (c *riders) askOnce(conn net.Conn, in *bufio.Reader, path string) (time.Duration, error) {
	began := time.Now()
	head := " HTTP/1.1\r\nHost: x\r\n"
	if c.token != "" {
		head += "Authorization: Bearer " + c.token + "\r\n"
	}
	if _, err := io.WriteString(conn, "GET "+path+head+"\r\n"); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		return 0, err
	case resp.StatusCode == http.StatusOK:
		c.served = append(c.served, took)
		return 0, nil
	case resp.Header.Get("Retry-After") == "":
		return 0, fmt.Errorf("%s: %s", path, resp.Status)
	}
	c.refused++
	wait, err := time.ParseDuration(resp.Header.Get("Retry-After") + "s")
	return wait, err
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// tally is what riders measured in a turn.
type tally struct {
	Served, Refused float64 // a second
	P99             time.Duration
}

// turn lets them ask for a time. It begins when each has connected and has an answer.
func (c *riders) turn(ctx context.Context, d time.Duration) (tally, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- c.run(ctx) }()
	for begun := 0; begun < c.n && pause(ctx, 10*time.Millisecond); {
		c.mu.Lock()
		begun = c.begun
		c.mu.Unlock()
	}
	pause(ctx, 2*d) // those who came first have been told to wait
	c.mu.Lock()
	c.served, c.refused = c.served[:0], 0
	c.mu.Unlock()
	began := time.Now()
	pause(ctx, d)
	took := time.Since(began).Seconds()
	cancel()
	if err := <-ended; err != nil {
		return tally{}, err
	}
	if len(c.served) == 0 {
		return tally{}, errors.New("nothing was served")
	}
	slices.Sort(c.served)
	return tally{
		Served: float64(len(c.served)) / took, Refused: float64(c.refused) / took, P99: c.served[len(c.served)*99/100],
	}, nil
}

// ridersEnv holds the riders of a process of their own, whose work is not the api's.
const ridersEnv = "NHIP_TEST_RIDERS"

// ridersProcess are riders as the environment holds them.
type ridersProcess struct {
	Addr, Token string
	Paths       []string
	N, Addrs    int
	Interval    time.Duration
	Turn        time.Duration
}

// TestRidersProcess is that process.
func TestRidersProcess(t *testing.T) {
	text := os.Getenv(ridersEnv)
	if text == "" {
		t.Skip("a process of BenchmarkOverload")
	}
	var o ridersProcess
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	c := &riders{addr: o.Addr, token: o.Token, paths: o.Paths, n: o.N, addrs: o.Addrs, interval: o.Interval}
	result, err := c.turn(t.Context(), o.Turn)
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("riders %s\n", line)
}

// run lets riders ask in a process of their own.
func (o ridersProcess) run(b *testing.B) (result tally) {
	b.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self, "-test.run", "^TestRidersProcess$")
	cmd.Env = append(os.Environ(), ridersEnv+"="+string(text))
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	_, line, _ := strings.Cut(string(out), "riders ")
	line, _, _ = strings.Cut(line, "\n")
	if err := json.Unmarshal([]byte(line), &result); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return result
}

// BenchmarkOverload lets riders ask for five times what the api can answer, from a few addresses. goodput is what it
// then serves of that, and slower is the ratio of the 99th percentile of their delays to that at a tenth of the
// capacity. The riders run on the same processors, in all turns.
func BenchmarkOverload(b *testing.B) {
	const turn, crowd, token = 4 * time.Second, 6_000, "benchmark"
	a := startSimulated(b, fleetSize, func(o *Options) {
		o.Rates, o.Token = quota.Limits{Client: 10, Key: 100, Spare: 1000}, token
	})
	all := ridersProcess{Addr: strings.TrimPrefix(a.URL(), "http://"), Paths: overloadPaths(a), Turn: turn}
	var goodput, slower, offered []float64
	for b.Loop() {
		full := all
		full.N, full.Addrs, full.Token = 16, 16, token
		capacity := full.run(b).Served
		few := all
		few.N, few.Addrs = 20, 20
		few.Interval = time.Duration(float64(few.N) / (capacity / 10) * float64(time.Second))
		quiet := few.run(b).P99
		many := all
		many.N, many.Addrs = crowd, 8
		many.Interval = time.Duration(crowd / (5 * capacity) * float64(time.Second))
		got := many.run(b)
		capacity = (capacity + full.run(b).Served) / 2 // right before and after: other programs take more or less
		goodput, slower = append(goodput, got.Served/capacity), append(slower, float64(got.P99)/float64(quiet))
		offered = append(offered, (got.Served+got.Refused)/capacity)
		b.Logf("capacity %.0f/s; quiet p99 %s; %.0f/s served, %.0f/s refused, p99 %s", capacity, quiet, got.Served,
			got.Refused, got.P99)
	}
	b.ReportMetric(0, "ns/op")
	for name, v := range map[string][]float64{"goodput": goodput, "slower": slower, "offered": offered} {
		slices.Sort(v)
		b.ReportMetric(v[len(v)/2], name)
	}
}

// overloadPaths asks for departures and buses near places of the city.
func overloadPaths(a *API) []string {
	r := rand.New(rand.NewPCG(5, 5))
	var paths []string
	for range 100 {
		near := fmt.Sprintf("near=%.4f,%.4f", 20.97+0.1*r.Float64(), 105.75+0.15*r.Float64())
		paths = append(paths, "/v1/departures?"+near, "/v1/buses?"+near+"&limit=100")
	}
	return paths
}
