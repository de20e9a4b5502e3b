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
	"nhip/internal/await"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

// The environment variables that make the test binary a forwarder with devices at its door, until it
// is killed: its folder, the address upstream, and the number of each device's next message.
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
	mqtttest.BeCrowd()
	os.Exit(m.Run())
}

// forwardUntilKilled prints "<device> <number>" of what is acknowledged.
func forwardUntilKilled(dir, url, next string) error {
	f, err := NewForwarder(ForwardOptions{
		Dir: dir, Upstream: mqtt.Options{URL: url, ClientID: "edge", Username: "edge", Password: accounts.Operator},
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
				said := fmt.Sprintf("%d %d", d, i)
				if accept(f, fmt.Sprint(d), said) == nil {
					fmt.Println(said)
				}
			}
		})
	}
	devices.Wait()
	return nil
}

// TestKilledForwarders kills a forwarder at work again and again. What it acknowledged arrives, in
// order, and its cursor has passed nothing that did not arrive.
func TestKilledForwarders(t *testing.T) {
	dir, d := t.TempDir(), &door{}
	url := start(t, d).URL()
	var acked [childDevices]int // up to where, by device
	var behind int
	for round := range 4 {
		acked = runAndKill(t, dir, url, 300+511*round, acked)
		behind = checkCursor(t, dir, d)
	}
	before := len(d.messages())
	e := newEdge(t, dir, url, accounts.Operator)
	await.True(t, "the rest is forwarded", func() bool { return e.Pending() == 0 })
	for device, n := range acked {
		if n == 0 {
			t.Errorf("device %d was never acknowledged", device)
		}
	}
	next := arrived(t, d)
	for device, n := range acked {
		if next[device] < n {
			t.Errorf("of device %d, %d messages were acknowledged and %d arrived", device, n, next[device])
		}
	}
	// What was in flight may still be on its way when it is sent again.
	if again := len(d.messages()) - before; again > 2*behind || before < 2*behind {
		t.Errorf("%d messages came after the last kill and %d before it; %d were behind the cursor", again, before, behind)
	}
}

// arrived returns up to where each device's messages have come, all in order. A message that the
// child had on disk and not answered is said again by nobody, so the next round's may be the same.
func arrived(t *testing.T, d *door) (next [childDevices]int) {
	t.Helper()
	for _, p := range d.payloads() {
		var device, i int
		if _, err := fmt.Sscan(p, &device, &i); err != nil {
			t.Fatal(err)
		}
		if i > next[device] {
			t.Fatalf("of device %d, message %d came before %d", device, i, next[device])
		}
		next[device] = max(next[device], i+1)
	}
	return next
}

// runAndKill runs the child until it has acknowledged some messages and its cursor has moved, kills
// it, and returns up to where each device was acknowledged.
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
			break // the last line may be torn; it is not taken as told
		}
		var device, i int
		if _, err := fmt.Sscan(line, &device, &i); err != nil || i != from[device] {
			t.Fatalf("the child said %q, want message %d: %v", line, from[device], err)
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

// savedCursor returns what the cursor's file holds.
func savedCursor(dir string) string {
	b, _ := os.ReadFile(filepath.Join(dir, forwardCursor+".cursor")) // not there before the first save
	return string(b)
}

// checkCursor checks that all up to the cursor on disk has arrived, and returns how many records are
// behind it.
func checkCursor(t *testing.T, dir string, d *door) (behind int) {
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
	came := make(map[string]bool)
	for _, p := range d.payloads() {
		came[p] = true
	}
	r := j.Reader(1)
	defer r.Close()
	for {
		seq, record, ok, err := r.TryNext()
		if err != nil || !ok || seq > cursor {
			return int(j.LastSeq() - cursor)
		}
		var m nhip.Message
		if m, err = readForwardRecord(record); err != nil || !came[string(m.Payload)] {
			t.Fatalf("record %d, %q, is before the cursor %d and did not arrive: %v", seq, m.Payload, cursor, err)
		}
	}
}
