package gateway

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

// Environment variables that make the test binary a forwarder with publishing devices until it is killed: its folder,
// the upstream address, and the number of each device's next message.
const (
	childDir  = "NHIP_TEST_FORWARD_DIR"
	childURL  = "NHIP_TEST_FORWARD_URL"
	childNext = "NHIP_TEST_FORWARD_NEXT"
)

const childDevices = 4

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, forwardUntilKilled(dir, os.Getenv(childURL), os.Getenv(childNext)))
		os.Exit(1)
	}
	mqtttest.RunIfCrowd()
	os.Exit(m.Run())
}

// forwardUntilKilled publishes messages and prints "<device> <number>" for each that is acknowledged.
func forwardUntilKilled(dir, url, next string) error {
	f, err := NewForwarder(ForwardOptions{
		Dir: dir, Upstream: mqtt.Options{
			URL: url, ClientID: "forwarder", Username: "forwarder",
			Password: accounts.Operator.String(),
		},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), retry: 5 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	f.Start()
	var from [childDevices]int
	if _, err := fmt.Sscan(next, &from[0], &from[1], &from[2], &from[3]); err != nil {
		return err
	}
	var devices sync.WaitGroup
	for d := range childDevices {
		devices.Go(func() {
			for i := from[d]; ; i++ {
				payload := fmt.Sprintf("%d %d", d, i)
				if accept(f, fmt.Sprint(d), payload) == nil {
					fmt.Println(payload)
				}
			}
		})
	}
	devices.Wait()
	return nil
}

// TestForwarderKilled kills a working forwarder again and again. All that it acknowledged must arrive in order, and its
// cursor must not pass a message that did not arrive.
func TestForwarderKilled(t *testing.T) {
	dir, d := t.TempDir(), &fakeAcceptor{}
	url := startUpstream(t, d).URL()
	var acked [childDevices]int // number of messages acknowledged, by device
	var behind int
	for round := range 4 {
		acked = runAndKill(t, dir, url, 300+511*round, acked)
		behind = checkCursor(t, dir, d)
	}
	before := len(d.messages())
	e := newTestForwarder(t, dir, url, accounts.Operator.String())
	awaittest.True(t, "the remaining messages are forwarded", func() bool { return e.Pending() == 0 })
	for device, n := range acked {
		if n == 0 {
			t.Errorf("no message of device %d was acknowledged", device)
		}
	}
	next := arrived(t, d)
	for device, n := range acked {
		if next[device] < n {
			t.Errorf("device %d: %d messages acknowledged, %d arrived", device, n, next[device])
		}
	}
	// A message in flight at the kill may arrive after it was sent again.
	if again := len(d.messages()) - before; again > 2*behind || before < 2*behind {
		t.Errorf("%d messages arrived after the last kill and %d before it; %d were behind the cursor", again, before, behind)
	}
}

// arrived returns how many messages of each device have arrived, and checks their order. A message that the child had
// on disk but not acknowledged when it was killed may arrive, and the next round publishes its number again.
func arrived(t *testing.T, d *fakeAcceptor) (next [childDevices]int) {
	t.Helper()
	for _, p := range d.payloads() {
		var device, i int
		if _, err := fmt.Sscan(p, &device, &i); err != nil {
			t.Fatal(err)
		}
		if i > next[device] {
			t.Fatalf("device %d: message %d arrived before %d", device, i, next[device])
		}
		next[device] = max(next[device], i+1)
	}
	return next
}

// runAndKill runs the child until it has acknowledged some messages and its cursor has moved, and kills it. It returns
// the number of messages acknowledged for each device.
func runAndKill(t *testing.T, dir, url string, after int, from [childDevices]int) [childDevices]int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childURL+"="+url, childNext+"="+strings.Trim(fmt.Sprint(from), "[]"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, cursor, killed := bufio.NewReader(out), savedCursor(dir), false
	for n := 0; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // the last line may be incomplete; it does not count
		}
		var device, i int
		if _, err := fmt.Sscan(line, &device, &i); err != nil || i != from[device] {
			t.Fatalf("the child printed %q, want message %d: %v", line, from[device], err)
		}
		from[device]++
		if !killed && n >= after && savedCursor(dir) != cursor {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			killed = true
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended with %v, want killed", err)
	}
	return from
}

// savedCursor returns the content of the cursor's file.
func savedCursor(dir string) string {
	b, _ := os.ReadFile(filepath.Join(dir, forwardCursor+".cursor")) // not there before the first save
	return string(b)
}

// checkCursor checks that all records up to the cursor on disk have arrived, and returns how many records follow it.
func checkCursor(t *testing.T, dir string, d *fakeAcceptor) (behind int) {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	cursor, err := j.Cursor(forwardCursor)
	if err != nil {
		t.Fatal(err)
	}
	received := make(map[string]bool)
	for _, p := range d.payloads() {
		received[p] = true
	}
	r := j.Reader(1)
	defer r.Close()
	for {
		seq, record, ok, err := r.TryNext()
		if err != nil || !ok || seq > cursor {
			return int(j.LastSeq() - cursor)
		}
		var m nhip.Message
		if m, err = readForwardRecord(record); err != nil || !received[string(m.Payload)] {
			t.Fatalf("record %d, %q, is before the cursor %d and did not arrive: %v", seq, m.Payload, cursor, err)
		}
	}
}
