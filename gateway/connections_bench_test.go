package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nhip/internal/fleet"
)

// manyDevices is so many devices of a fleet, and its secret.
func manyDevices(n int) []fleet.Device {
	digest := fleet.Digest("s")
	all := make([]fleet.Device, n)
	for i := range all {
		all[i] = fleet.Device{ID: fmt.Sprintf("bus-%05d", i), Feed: "position", Secrets: []string{digest}}
	}
	return all
}

// maxConnections returns how many connections this process may have with both ends open, at most 10,000.
func maxConnections(b *testing.B) int {
	b.Helper()
	const others, limit = 400, 10_000 // others: files that are open for other purposes
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		b.Fatal(err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		b.Fatal(err)
	}
	return int(min(limit, (l.Max-others)/2))
}

// dialDevice connects a device and waits for its CONNACK.
func dialDevice(g *Gateway, id string) (net.Conn, error) {
	conn, err := net.Dial("tcp", g.Addr())
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(waitFor))
	answer := make([]byte, 4)
	if _, err = conn.Write(connectAs(id, "s")); err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err == nil && !bytes.Equal(answer, []byte{0x20, 2, 0, 0}) {
		err = fmt.Errorf("answered with %x", answer)
	}
	return conn, err
}

// memory returns the bytes of heap and stacks in use.
func memory() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// BenchmarkConnections connects 10,000 devices of a fleet, or as many as the machine allows, eight at a time, while
// another device publishes. It measures the memory of a connection (including the client's side in this process, which
// is small), the log-ins a second, and how much slower the publishing device is acknowledged meanwhile.
func BenchmarkConnections(b *testing.B) {
	const dialers = 8
	devices := maxConnections(b)
	var perConnection, rate, slower float64
	for range b.N {
		g := startWith(b, nopAcceptor{}, Limits{})
		setDevices(g, append(manyDevices(devices), newDevice("publisher", "s"))...)
		before := memory()
		publisher, err := dialDevice(g, "publisher")
		if err != nil {
			b.Fatal(err)
		}
		quiet := median(measurePuback(b, publisher, func() bool { return false }, 2_000))
		conns := make([]net.Conn, devices)
		var next atomic.Int64
		var dialing sync.WaitGroup
		began := time.Now()
		for range dialers {
			dialing.Go(func() {
				for i := next.Add(1) - 1; i < int64(devices); i = next.Add(1) - 1 {
					var err error
					if conns[i], err = dialDevice(g, fmt.Sprintf("bus-%05d", i)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		busy := median(measurePuback(b, publisher, func() bool { return next.Load() >= int64(devices) }, 1<<30))
		dialing.Wait()
		rate += float64(devices) / time.Since(began).Seconds()
		perConnection += (memory() - before) / float64(devices)
		slower += busy / quiet
		for _, c := range append(conns, publisher) {
			_ = c.Close()
		}
	}
	n := float64(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(devices), "connections")
	b.ReportMetric(perConnection/n, "B/connection")
	b.ReportMetric(rate/n, "CONNECTs/s")
	b.ReportMetric(slower/n, "speaker-of-quiet")
}

// measurePuback publishes one message after the other until over returns true or most were sent. It returns how long
// each acknowledgement took, in seconds.
func measurePuback(b *testing.B, conn net.Conn, over func() bool, most int) []float64 {
	b.Helper()
	var took []float64
	answer := make([]byte, 4)
	message := publish1("nhip/in/position/publisher", 1, "{}")
	for len(took) < most && !over() {
		_ = conn.SetDeadline(time.Now().Add(waitFor))
		began := time.Now()
		if _, err := conn.Write(message); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began).Seconds())
	}
	return took
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkUnderAttack measures how much another client's attack delays a device: the ratio of the median time until
// its acknowledgement during the attack to that without.
func BenchmarkUnderAttack(b *testing.B) {
	for name, attack := range map[string]func(g *Gateway){
		"connects": func(g *Gateway) { // without sending anything
			if conn, err := net.Dial("tcp", g.Addr()); err == nil {
				defer conn.Close()
			}
		},
		"wrong-secrets": func(g *Gateway) {
			if conn, err := net.Dial("tcp", g.Addr()); err == nil {
				_, _ = conn.Write(connectAs("bus-00000", "wrong"))
				_ = conn.Close()
			}
		},
		"garbage": func(g *Gateway) {
			if conn, err := net.Dial("tcp", g.Addr()); err == nil {
				_, _ = conn.Write(bytes.Repeat([]byte{0xff}, 1<<16))
				_ = conn.Close()
			}
		},
		"foreign-topics": func(g *Gateway) {
			if conn, err := dialDevice(g, "bus-00000"); err == nil {
				_, _ = conn.Write(publish1("nhip/in/position/publisher", 1, "{}"))
				_ = conn.Close()
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			g := startWith(b, nopAcceptor{}, Limits{ConnectRate: 500, PerAddress: 5_000, MessageRate: 1e6, ByteRate: 1 << 30})
			setDevices(g, append(manyDevices(1), newDevice("publisher", "s"))...)
			publisher, err := dialDevice(g, "publisher")
			if err != nil {
				b.Fatal(err)
			}
			defer publisher.Close()
			var worst float64
			for range b.N {
				quiet := median(measurePuback(b, publisher, func() bool { return false }, 2_000))
				var stop atomic.Bool
				var attacking sync.WaitGroup
				attacking.Go(func() {
					for !stop.Load() {
						attack(g)
					}
				})
				worst += median(measurePuback(b, publisher, func() bool { return false }, 5_000)) / quiet
				stop.Store(true)
				attacking.Wait()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(worst/float64(b.N), "of-quiet")
		})
	}
}
