package gateway

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

// remoteCrowd is a process of devices that speak when they are told to.
type remoteCrowd struct {
	orders  io.Writer
	answers *json.Decoder
}

// answered is what a crowd was answered in one turn.
type answered struct {
	Messages int
	Took     time.Duration // until the last PUBACK
	P99      time.Duration // from PUBLISH to PUBACK
	Err      string
}

// startCrowd connects devices to a server, until the benchmark ends.
func startCrowd(b *testing.B, address string, conns, window int) *remoteCrowd {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", asCrowd, address, conns, window))
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
	c := &remoteCrowd{orders: stdin, answers: json.NewDecoder(stdout)}
	c.listen(b) // says that it is connected
	return c
}

// speak lets the crowd publish for so long, and then wait for its last PUBACKs.
func (c *remoteCrowd) speak(b *testing.B, long time.Duration) answered {
	if _, err := fmt.Fprintln(c.orders, long); err != nil {
		b.Fatal(err)
	}
	h := c.listen(b)
	if h.Messages == 0 {
		b.Fatal("the crowd was not heard")
	}
	return h
}

func (c *remoteCrowd) listen(b *testing.B) (h answered) {
	if err := c.answers.Decode(&h); err != nil || h.Err != "" {
		b.Fatalf("the crowd: %v %s", err, h.Err)
	}
	return h
}

// crowd is the process: it connects, answers each order on stdin, and ends with it.
func crowd(setting string) (exitCode int) {
	var address string
	var conns, window int
	if _, err := fmt.Sscan(setting, &address, &conns, &window); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	tell := json.NewEncoder(os.Stdout)
	devices, err := connectAll(address, conns, window)
	if err != nil {
		_ = tell.Encode(answered{Err: err.Error()})
		return 1
	}
	_ = tell.Encode(answered{}) // whoever does not read it has ended
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

func connectAll(address string, conns, window int) (devices []*device, err error) {
	for i := range conns {
		d, err := dialDevice(address, i, window)
		if err != nil {
			return nil, err
		}
		devices = append(devices, d)
	}
	return devices, nil
}

func speakAll(devices []*device, long time.Duration) answered {
	began := time.Now()
	failures := make([]error, len(devices))
	var all sync.WaitGroup
	for i, d := range devices {
		all.Go(func() { failures[i] = d.speak(began.Add(long)) })
	}
	all.Wait()
	h := answered{Took: time.Since(began)}
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
