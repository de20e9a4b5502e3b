package api

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// load is the measurement of wrk.
type load struct {
	rate     float64 // requests a second
	p50, p99 time.Duration
}

// The load of the benchmarks: 64 connections that send the next request after each answer. wrk runs on the same
// processors.
const (
	wrkThreads     = 2
	wrkConnections = 64
	wrkTurn        = 2 * time.Second
)

// needWrk skips the benchmark if wrk is not installed.
func needWrk(b *testing.B) {
	b.Helper()
	if _, err := exec.LookPath("wrk"); err != nil {
		b.Skip("wrk is missing; install with: apt-get install wrk")
	}
}

// wrk loads one address for one turn.
func wrk(b *testing.B, url, encoding string) load {
	b.Helper()
	out, err := exec.Command("wrk", "--latency", "-H", "Accept-Encoding: "+encoding,
		"-t", strconv.Itoa(wrkThreads), "-c", strconv.Itoa(wrkConnections),
		"-d", fmt.Sprintf("%.0fs", wrkTurn.Seconds()), url).CombinedOutput()
	if err != nil {
		b.Fatalf("wrk: %v\n%s", err, out)
	}
	l, err := parseWrk(string(out))
	if err != nil {
		b.Fatalf("%s: %v\n%s", url, err, out)
	}
	return l
}

var (
	wrkRate   = regexp.MustCompile(`(?m)^Requests/sec: +([0-9.]+)$`)
	wrkMedian = regexp.MustCompile(`(?m)^ +50% +([0-9.]+[a-z]+) *$`)
	wrkSlow   = regexp.MustCompile(`(?m)^ +99% +([0-9.]+[a-z]+) *$`)
)

// parseWrk parses the output of wrk. A failed request makes the measurement invalid.
func parseWrk(out string) (l load, err error) {
	for _, bad := range []string{"Non-2xx", "Socket errors"} {
		if strings.Contains(out, bad) {
			return load{}, fmt.Errorf("wrk counted failed requests")
		}
	}
	rate, median, slow := wrkRate.FindStringSubmatch(out), wrkMedian.FindStringSubmatch(out), wrkSlow.FindStringSubmatch(
		out,
	)
	if rate == nil || median == nil || slow == nil {
		return load{}, fmt.Errorf("wrk printed no measurement")
	}
	if l.rate, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return load{}, err
	}
	if l.p50, err = time.ParseDuration(median[1]); err != nil {
		return load{}, err
	}
	l.p99, err = time.ParseDuration(slow[1])
	return l, err
}

const wrkOutput = `Running 2s test @ http://127.0.0.1:8080/v1/buses
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.77ms    1.73ms  22.36ms   92.07%
    Req/Sec     1.09k   179.87     1.45k    80.00%
  Latency Distribution
     50%  945.00us
     75%    3.10ms
     90%    4.03ms
     99%    1.20s 
  2178 requests in 1.00s, 1.08MB read
Requests/sec:   2173.73
Transfer/sec:      1.08MB
`

func TestParseWrk(t *testing.T) {
	got, err := parseWrk(wrkOutput)
	if want := (load{2173.73, 945 * time.Microsecond, 1200 * time.Millisecond}); err != nil || got != want {
		t.Errorf("read as %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{
		"", "Requests/sec:   2173.73\n", wrkOutput + "  Non-2xx or 3xx responses: 2178\n",
		wrkOutput + "  Socket errors: connect 0, read 1, write 0, timeout 0\n",
	} {
		if l, err := parseWrk(bad); err == nil {
			t.Errorf("read as %+v:\n%s", l, bad)
		}
	}
}
