package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/geo/index"
	"nhip/internal/awaittest"
	"nhip/internal/suitetest"
	"nhip/internal/wait"

	"golang.org/x/sys/unix"
)

// loadCity is where the buses of the load test drive: Hanoi, 27 by 28 km.
var loadCity = index.Box{MinLon: 105.70, MinLat: 20.90, MaxLon: 105.96, MaxLat: 21.15}

// Bounds of the load test: 2,500 updates a second to 10,000 streams of boxes of 2 by 2 km.
const (
	loadBuses   = 2500 // each reports once a second
	loadBytes   = 15 << 10
	loadDelay   = 500 * time.Millisecond // 200 ms for which changes are joined and 300 ms
	loadStarved = 0.2                    // part of the time for which threads of the server may wait for a processor
	loadServer  = "NHIP_TEST_STREAM_SERVER"
)

// TestStreamsUnderLoad follows boxes of 2 by 2 km at random over a city in which 2,500 buses report every second, over
// real connections to an api in another process, and measures what a stream costs that process and how late the events
// are.
func TestStreamsUnderLoad(t *testing.T) {
	if !suitetest.Full() {
		loadStreams(t, 200, func(i int) bool { return i%2 == 1 })
		return
	}
	t.Run("events", func(t *testing.T) { loadStreams(t, 10_000, func(int) bool { return false }) })
	t.Run("WebSockets", func(t *testing.T) { loadStreams(t, 10_000, func(int) bool { return true }) })
}

// loadStreams is TestStreamsUnderLoad with a number of streams, of which some are WebSockets.
func loadStreams(t *testing.T, streams int, socket func(i int) bool) {
	if need := uint64(streams + 500); openFiles(t) < need {
		t.Skipf("needs %d open files; raise ulimit -n", need)
	}
	server := startLoadServer(t)
	base := server.memory(t)
	clients := followBoxes(t, server.addr, streams, socket)
	full := server.memory(t)
	perStream := (full - base) / streams
	length := suitetest.Pick(2*time.Second, 30*time.Second)
	waited := server.waited(t)
	delays := clients.measure(length)
	starved := (server.waited(t) - waited).Seconds() / length.Seconds()
	t.Logf("%d streams: %d bytes each (%.0f MB before, %.0f MB after); %d events, delay p50 %s, p99 %s, max %s; "+
		"the server waited for a processor for %.0f %% of the time", streams, perStream, float64(base)/1e6, float64(full)/1e6,
		len(delays), at(delays, 50), at(delays, 99), at(delays, 100), 100*starved)
	if direct := server.direct(t); direct != streams {
		t.Errorf("%d streams are written without waiting", direct)
	}
	if clients.ended.Load() > 0 {
		t.Errorf("%d streams ended", clients.ended.Load())
	}
	if len(delays) < streams/10 {
		t.Errorf("%d events", len(delays))
	}
	if !suitetest.Full() {
		return // the memory of so few streams and the delays on a busy machine say nothing
	}
	if perStream > loadBytes {
		t.Errorf("a stream costs %d bytes, more than %d", perStream, loadBytes)
	}
	if starved > loadStarved {
		t.Log("the delays say nothing: other processes take the processors")
	} else if p99 := at(delays, 99); p99 > loadDelay {
		t.Errorf("p99 of the delay is %s, more than %s", p99, loadDelay)
	}
}

func openFiles(t *testing.T) uint64 {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return limit.Cur
}

// at returns a percentile of sorted delays.
func at(delays []time.Duration, percent int) time.Duration {
	if len(delays) == 0 {
		return 0
	}
	return delays[(len(delays)-1)*percent/100].Round(time.Millisecond)
}

// streamServer is the process of TestStreamServer.
type streamServer struct {
	addr  string
	pid   int
	in    io.Writer
	lines *bufio.Scanner // of its output
}

func startLoadServer(t *testing.T) *streamServer {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestStreamServer$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), loadServer+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // ends it
		_ = cmd.Wait()
	})
	s := &streamServer{pid: cmd.Process.Pid, in: in, lines: bufio.NewScanner(out)}
	for s.lines.Scan() {
		if addr, ok := strings.CutPrefix(s.lines.Text(), "serving "); ok {
			s.addr = addr
			return s
		}
	}
	t.Fatal("the server did not start")
	return nil
}

// direct returns how many streams the server writes without waiting.
func (s *streamServer) direct(t *testing.T) int {
	t.Helper()
	if _, err := io.WriteString(s.in, "\n"); err != nil {
		t.Fatal(err)
	}
	for s.lines.Scan() {
		if text, ok := strings.CutPrefix(s.lines.Text(), "direct "); ok {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no answer of the server")
	return 0
}

// waited returns for how long the threads of the server have waited for a processor, 0 where that is not known.
func (s *streamServer) waited(t *testing.T) (sum time.Duration) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		var ran, waited time.Duration
		if raw, err := os.ReadFile(name); err == nil { // the thread may have ended
			_, _ = fmt.Sscan(string(raw), &ran, &waited)
		}
		sum += waited
	}
	return sum
}

// memory returns the resident memory of the server once it has settled.
func (s *streamServer) memory(t *testing.T) int {
	t.Helper()
	time.Sleep(suitetest.Pick(500*time.Millisecond, 5*time.Second)) // of load, so that collections have run
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		t.Skip("no /proc:", err)
	}
	_, rest, _ := strings.Cut(string(raw), "VmRSS:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// TestStreamServer is the server of TestStreamsUnderLoad, in its own process. It answers each line of its standard
// input and ends with it.
func TestStreamServer(t *testing.T) {
	if os.Getenv(loadServer) == "" {
		t.Skip("the process of TestStreamsUnderLoad")
	}
	a := newAPI(t, func(o *Options) { o.Clock = nhip.WallClock{} })
	a.tasks.Go("live streams", a.hub.Run)
	go func() { _ = a.server.Serve(a.listener) }()

	fmt.Println("serving " + a.Addr())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Println("direct", a.hub.Direct())
		}
	}()
	driveBuses(t, a, ended)
}

// driveBuses moves the buses, each once a second, until ended is closed.
func driveBuses(t *testing.T, a *API, ended <-chan struct{}) {
	places := make([][2]float64, loadBuses)
	for i := range places {
		places[i] = [2]float64{rand.Float64(), rand.Float64()}
	}
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	began := time.Now()
	for moved := 0; ; {
		select {
		case <-ended:
			return
		case <-ticker.C:
		}
		for due := int(time.Since(began).Seconds() * loadBuses); moved < due; moved++ {
			i := moved % loadBuses
			for k := range places[i] { // up to about 15 m
				places[i][k] = min(1, max(0, places[i][k]+(rand.Float64()-0.5)*1e-3))
			}
			addLoadBus(t, a, i, places[i][0], places[i][1])
		}
	}
}

func addLoadBus(t *testing.T, a *API, i int, east, north float64) {
	addBus(t, a, nhip.Bus{
		ID: "29B-" + strconv.Itoa(10_000+i), Time: time.Now().UTC(),
		Lon:   loadCity.MinLon + east*(loadCity.MaxLon-loadCity.MinLon),
		Lat:   loadCity.MinLat + north*(loadCity.MaxLat-loadCity.MinLat),
		Speed: nhip.Some(8.25), Bearing: nhip.Some(270.0), Route: strconv.Itoa(i % 100), Trip: "trip-" + strconv.Itoa(i),
		Headsign: "Bến xe Gia Lâm", NextStop: "stop-17",
		Track: &nhip.Track{Status: "in_service", Confidence: 1},
	})
}

// loadClients are clients of streams. Two in ten measure the delay of its events.
type loadClients struct {
	ready, ended atomic.Int64
	measuring    atomic.Bool

	mu     sync.Mutex
	delays []time.Duration
}

// socketHead is what a request for a WebSocket has in addition.
const socketHead = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// followBoxes opens streams of boxes of 2 by 2 km, from many addresses, and waits until all have their snapshot.
func followBoxes(t *testing.T, addr string, streams int, socket func(i int) bool) *loadClients {
	t.Helper()
	c := new(loadClients)
	var conns []net.Conn
	t.Cleanup(func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	for i := range streams {
		from := net.TCPAddr{IP: net.IPv4(127, 1, byte(i/250), byte(1+i%250))}
		conn, err := (&net.Dialer{LocalAddr: &from}).Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		head, status := "", http.StatusOK
		if socket(i) {
			head, status = socketHead, http.StatusSwitchingProtocols
		}
		const width, height = 0.0193, 0.018 // 2 km
		lon := loadCity.MinLon + rand.Float64()*(loadCity.MaxLon-loadCity.MinLon-width)
		lat := loadCity.MinLat + rand.Float64()*(loadCity.MaxLat-loadCity.MinLat-height)
		_, err = fmt.Fprintf(conn, "GET /v1/live?bbox=%.4f,%.4f,%.4f,%.4f HTTP/1.1\r\nHost: x\r\n%s\r\n",
			lon, lat, lon+width, lat+height, head)
		if err != nil {
			t.Fatal(err)
		}
		buffered := bufio.NewReaderSize(conn, 1024)
		resp, err := http.ReadResponse(buffered, nil)
		if err != nil || resp.StatusCode != status {
			t.Fatal(resp, err)
		}
		if socket(i) {
			go answerPings(t.Context(), conn)
			go c.read(conn, buffered, i%10 < 2)
		} else {
			go c.read(conn, resp.Body, i%10 < 2)
		}
	}
	awaittest.True(t, "all streams are ready", func() bool { return c.ready.Load() == int64(streams) })
	return c
}

// answerPings sends a pong (RFC 6455 §5.5.3) once for each heartbeat until ctx ends.
func answerPings(ctx context.Context, conn net.Conn) {
	for wait.Sleep(ctx, 15*time.Second) == nil {
		_, _ = conn.Write([]byte{0x8a, 0x80, 0, 0, 0, 0}) // the connection may have ended
	}
}

// read reads a stream until it ends. Its events end with a line, or over a WebSocket with a brace.
func (c *loadClients) read(conn net.Conn, body io.Reader, measure bool) {
	events := bufio.NewReaderSize(body, 1024)
	for ready := false; !ready; {
		part, err := events.ReadSlice('}')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		ready = bytes.Contains(part, []byte("event: ready\n")) || bytes.Contains(part, []byte(`{"event":"ready"`))
	}
	c.ready.Add(1)
	var err error
	if measure {
		c.readDelays(events)
	} else {
		_, err = io.Copy(io.Discard, onlyReader{conn})
	}
	if !errors.Is(err, net.ErrClosed) && c.measuring.Load() {
		c.ended.Add(1)
	}
}

// onlyReader hides the other methods of a connection, so that io.Copy reads with its own buffer.
type onlyReader struct{ io.Reader }

// readDelays records the delays of events while c measures. The properties of a bus, with its time, end at a brace.
func (c *loadClients) readDelays(events *bufio.Reader) {
	for {
		part, err := events.ReadSlice('}')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		_, rest, found := bytes.Cut(part, []byte(`,"time":"`))
		if !found || !bytes.Contains(part, []byte(`"stale_after_s"`)) || !c.measuring.Load() {
			continue
		}
		text, _, _ := bytes.Cut(rest, []byte(`"`))
		if sent, err := time.Parse(time.RFC3339Nano, string(text)); err == nil {
			c.mu.Lock()
			c.delays = append(c.delays, time.Since(sent))
			c.mu.Unlock()
		}
	}
}

// measure returns the sorted delays of the events of a duration.
func (c *loadClients) measure(d time.Duration) []time.Duration {
	runtime.GC()
	c.measuring.Store(true)
	time.Sleep(d)
	c.measuring.Store(false)
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.delays)
	return c.delays
}
