package mqtttest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"
)

// crowdEnv is the environment variable that makes a test binary run as a crowd, see RunIfCrowd.
const crowdEnv = "NHIP_BENCH_AS_CROWD"

// Crowd is a process that runs the devices of a benchmark, so that their CPU time is not counted as the broker's. Each
// device publishes positions of a bus in our own JSON, with a new time in each message.
type Crowd struct {
	commands io.Writer     // one duration per line
	results  *json.Decoder // one TurnResult for each, after one that means that the devices are connected
}

// TurnResult is what a crowd measured in one turn.
type TurnResult struct {
	Messages int           // acknowledged
	Took     time.Duration // until the last PUBACK
	P99      time.Duration // 99th percentile from PUBLISH to PUBACK
	Err      string
}

// StartCrowd connects conns devices to a server until the benchmark ends. Each keeps window messages in flight. The
// TestMain of the test binary must call RunIfCrowd.
func StartCrowd(b *testing.B, address, password string, conns, window int) *Crowd {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %d", crowdEnv, address, password, conns, window))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close() // ends the process
		if err := cmd.Wait(); err != nil {
			b.Errorf("the crowd failed: %v", err)
		}
	})
	c := &Crowd{commands: stdin, results: json.NewDecoder(stdout)}
	c.readResult(b) // the devices are connected
	return c
}

// Publish makes the crowd publish for the duration d and wait for the last PUBACKs.
func (c *Crowd) Publish(b *testing.B, d time.Duration) TurnResult {
	if _, err := fmt.Fprintln(c.commands, d); err != nil {
		b.Fatal(err)
	}
	r := c.readResult(b)
	if r.Messages == 0 {
		b.Fatal("no message of the crowd was acknowledged")
	}
	return r
}

func (c *Crowd) readResult(b *testing.B) (r TurnResult) {
	if err := c.results.Decode(&r); err != nil || r.Err != "" {
		b.Fatalf("the crowd failed: %v %s", err, r.Err)
	}
	return r
}

// RunIfCrowd runs the devices and exits if StartCrowd started this process. Otherwise it returns at once.
func RunIfCrowd() {
	if setting := os.Getenv(crowdEnv); setting != "" {
		os.Exit(runCrowd(setting))
	}
}

// runCrowd connects the devices and runs each command from stdin until that is closed.
func runCrowd(setting string) (exitCode int) {
	var address, password string
	var conns, window int
	if _, err := fmt.Sscan(setting, &address, &password, &conns, &window); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	out := json.NewEncoder(os.Stdout)
	devices, err := connectAll(address, password, conns, window)
	if err != nil {
		_ = out.Encode(TurnResult{Err: err.Error()})
		return 1
	}
	_ = out.Encode(TurnResult{}) // the reader may have ended
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		d, err := time.ParseDuration(commands.Text())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		_ = out.Encode(publishAll(devices, d))
	}
	return 0
}

func connectAll(address, password string, conns, window int) (devices []*device, err error) {
	for i := range conns {
		d, err := dialDevice(address, password, i, window)
		if err != nil {
			return nil, err
		}
		devices = append(devices, d)
	}
	return devices, nil
}

func publishAll(devices []*device, duration time.Duration) TurnResult {
	began := time.Now()
	failures := make([]error, len(devices))
	var all sync.WaitGroup
	for i, d := range devices {
		all.Go(func() { failures[i] = d.publishUntil(began.Add(duration)) })
	}
	all.Wait()
	r := TurnResult{Took: time.Since(began)}
	var waits []time.Duration
	for i, d := range devices {
		waits = append(waits, d.waits...)
		if failures[i] != nil {
			r.Err = failures[i].Error()
		}
	}
	if r.Messages = len(waits); r.Messages > 0 {
		slices.Sort(waits)
		r.P99 = waits[r.Messages*99/100]
	}
	return r
}
