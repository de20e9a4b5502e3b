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

// asCrowd makes a test binary play the devices of a benchmark, see BeCrowd.
const asCrowd = "NHIP_BENCH_AS_CROWD"

// Crowd is a process of devices that speak when they are told to, so that their work is not counted as
// the broker's. Each says where a bus is, in our own JSON, and never the same twice.
type Crowd struct {
	orders  io.Writer
	answers *json.Decoder
}

// Answered is what a crowd was answered in one turn.
type Answered struct {
	Messages int
	Took     time.Duration // until the last PUBACK
	P99      time.Duration // from PUBLISH to PUBACK
	Err      string
}

// StartCrowd connects devices with a password to a server, until the benchmark ends. The test binary's
// TestMain must call BeCrowd.
func StartCrowd(b *testing.B, address, password string, conns, window int) *Crowd {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %d", asCrowd, address, password, conns, window))
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
		_ = stdin.Close() // tells it to end
		if err := cmd.Wait(); err != nil {
			b.Errorf("the crowd: %v", err)
		}
	})
	c := &Crowd{orders: stdin, answers: json.NewDecoder(stdout)}
	c.listen(b) // says that it is connected
	return c
}

// Speak lets the crowd publish for so long, and then wait for its last PUBACKs.
func (c *Crowd) Speak(b *testing.B, long time.Duration) Answered {
	if _, err := fmt.Fprintln(c.orders, long); err != nil {
		b.Fatal(err)
	}
	h := c.listen(b)
	if h.Messages == 0 {
		b.Fatal("the crowd was not heard")
	}
	return h
}

func (c *Crowd) listen(b *testing.B) (h Answered) {
	if err := c.answers.Decode(&h); err != nil || h.Err != "" {
		b.Fatalf("the crowd: %v %s", err, h.Err)
	}
	return h
}

// BeCrowd plays the devices where the process was started by StartCrowd, and does not return then.
func BeCrowd() {
	if setting := os.Getenv(asCrowd); setting != "" {
		os.Exit(crowd(setting))
	}
}

// crowd connects, answers each order on stdin, and ends with it.
func crowd(setting string) (exitCode int) {
	var address, password string
	var conns, window int
	if _, err := fmt.Sscan(setting, &address, &password, &conns, &window); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	tell := json.NewEncoder(os.Stdout)
	devices, err := connectAll(address, password, conns, window)
	if err != nil {
		_ = tell.Encode(Answered{Err: err.Error()})
		return 1
	}
	_ = tell.Encode(Answered{}) // whoever does not read it has ended
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		long, err := time.ParseDuration(orders.Text())
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		_ = tell.Encode(speakAll(devices, long))
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

func speakAll(devices []*device, long time.Duration) Answered {
	began := time.Now()
	failures := make([]error, len(devices))
	var all sync.WaitGroup
	for i, d := range devices {
		all.Go(func() { failures[i] = d.speak(began.Add(long)) })
	}
	all.Wait()
	h := Answered{Took: time.Since(began)}
	var waits []time.Duration
	for i, d := range devices {
		waits = append(waits, d.waits...)
		if failures[i] != nil {
			h.Err = failures[i].Error()
		}
	}
	if h.Messages = len(waits); h.Messages > 0 {
		slices.Sort(waits)
		h.P99 = waits[h.Messages*99/100]
	}
	return h
}
