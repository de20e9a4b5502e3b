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

// crowd is so many devices of a fleet, and its secret.
func crowd(n int) []fleet.Device {
	digest := fleet.Digest("s")
	all := make([]fleet.Device, n)
	for i := range all {
		all[i] = fleet.Device{ID: fmt.Sprintf("bus-%05d", i), Feed: "position", Secrets: []string{digest}}
	}
	return all
}

// mostConnections is how many connections with both ends in this process it may have, at most 10,000.
func mostConnections(b *testing.B) int {
	b.Helper()
	const others, most = 400, 10_000
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		b.Fatal(err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		b.Fatal(err)
	}
	return int(min(most, (l.Max-others)/2))
}

// enter connects a device and waits for its CONNACK.
func enter(g *Gateway, id string) (net.Conn, error) {
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

// memory is what the process holds, heap and stacks, in bytes.
func memory() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// BenchmarkConnections connects 10,000 devices, or as many as the machine lets it, of a fleet, eight at a time, while another publishes: what a
// connection costs in memory (the clients' side of this process is in it, and is little), how many enter a
// second, and what the one who speaks meanwhile notices of it.
func BenchmarkConnections(b *testing.B) {
	const dialers = 8
	devices := mostConnections(b)
	var perConnection, rate, slower float64
	for range b.N {
		g := startWith(b, open{}, Limits{})
		withFleet(g, append(crowd(devices), box("speaker", "s"))...)
		before := memory()
		speaker, err := enter(g, "speaker")
		if err != nil {
			b.Fatal(err)
		}
		quiet := median(speakFor(b, speaker, func() bool { return false }, 2_000))
		conns := make([]net.Conn, devices)
		var next atomic.Int64
		var entering sync.WaitGroup
		began := time.Now()
		for range dialers {
			entering.Go(func() {
				for i := next.Add(1) - 1; i < int64(devices); i = next.Add(1) - 1 {
					var err error
					if conns[i], err = enter(g, fmt.Sprintf("bus-%05d", i)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		busy := median(speakFor(b, speaker, func() bool { return next.Load() >= int64(devices) }, 1<<30))
		entering.Wait()
		rate += float64(devices) / time.Since(began).Seconds()
		perConnection += (memory() - before) / float64(devices)
		slower += busy / quiet
		for _, c := range append(conns, speaker) {
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

// speakFor publishes one message after the other until over says so, or there are enough, and returns how long
// each took to be acknowledged, in seconds.
func speakFor(b *testing.B, conn net.Conn, over func() bool, most int) []float64 {
	b.Helper()
	var took []float64
	answer := make([]byte, 4)
	say := publish1("nhip/in/position/speaker", 1, "{}")
	for len(took) < most && !over() {
		_ = conn.SetDeadline(time.Now().Add(waitFor))
		began := time.Now()
		if _, err := conn.Write(say); err != nil {
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

// BenchmarkUnderAttack measures what one device notices while another part of the street misbehaves: the median
// time to its acknowledgement, to that in quiet.
func BenchmarkUnderAttack(b *testing.B) {
	for name, attack := range map[string]func(g *Gateway){
		"connects": func(g *Gateway) { // and never says a word
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
			if conn, err := enter(g, "bus-00000"); err == nil {
				_, _ = conn.Write(publish1("nhip/in/position/speaker", 1, "{}"))
				_ = conn.Close()
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			g := startWith(b, open{}, Limits{ConnectRate: 500, PerAddress: 5_000, MessageRate: 1e6, ByteRate: 1 << 30})
			withFleet(g, append(crowd(1), box("speaker", "s"))...)
			speaker, err := enter(g, "speaker")
			if err != nil {
				b.Fatal(err)
			}
			defer speaker.Close()
			var worst float64
			for range b.N {
				quiet := median(speakFor(b, speaker, func() bool { return false }, 2_000))
				var stop atomic.Bool
				var attacking sync.WaitGroup
				attacking.Go(func() {
					for !stop.Load() {
						attack(g)
					}
				})
				worst += median(speakFor(b, speaker, func() bool { return false }, 5_000)) / quiet
				stop.Store(true)
				attacking.Wait()
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(worst/float64(b.N), "of-quiet")
		})
	}
}
