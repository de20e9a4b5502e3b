package broker

import (
	"fmt"
	"net"
	"runtime"
	"syscall"
	"testing"
)

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

// memory returns the bytes of heap and stacks in use.
func memory() float64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// clientFD opens a socket, connects it, and speaks MQTT without the memory of Go's connections, so that the client's
// end costs nothing in this process.
func clientFD(b *testing.B, port int, hello []byte) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		_, err = syscall.Write(fd, hello)
	}
	var answer [64]byte
	if err == nil {
		_, err = syscall.Read(fd, answer[:])
	}
	if err != nil {
		b.Fatal(err)
	}
	return fd
}

// BenchmarkIdleConnections measures the memory of a connection that has logged in, subscribed to two filters and sent a
// message, and then is idle.
func BenchmarkIdleConnections(b *testing.B) {
	n := maxConnections(b)
	var each float64
	for range b.N {
		s := startBroker(b, &testRules{})
		before := memory()
		port := mustPort(b, s.addr)
		fds := make([]int, n)
		for i := range fds {
			fds[i] = clientFD(b, port, connectPacket(4, fmt.Sprintf("guest-%06d", i), true, 60))
			_, _ = syscall.Write(fds[i], subscribePacket(4, 1, 0, "nhip/live/bus/#", "nhip/live/air/#"))
			var answer [64]byte
			_, _ = syscall.Read(fds[i], answer[:])
			_, _ = syscall.Write(fds[i], publishPacket(4, 1, "nhip/in/position/1", 1, "{}"))
			_, _ = syscall.Read(fds[i], answer[:])
		}
		each += (memory() - before) / float64(n)
		for _, fd := range fds {
			_ = syscall.Close(fd)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(n), "connections")
	b.ReportMetric(each/float64(b.N), "B/connection")
}

func mustPort(b *testing.B, addr string) int {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	return a.Port
}
