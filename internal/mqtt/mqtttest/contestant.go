package mqtttest

import (
	"syscall"
	"testing"
	"time"
)

// Contestant is a broker that a benchmark measures, with the crowd that publishes to it and the results so far.
type Contestant struct {
	Crowd *Crowd

	Messages int
	CPU      time.Duration // of this process, in which the broker runs
	P99      time.Duration // 99th percentile of the time from PUBLISH to PUBACK, in the slowest turn

	took time.Duration
}

// RunTurn makes the crowd publish for the given time and adds the results.
func (c *Contestant) RunTurn(b *testing.B, turn time.Duration) {
	before := cpuTime(b)
	result := c.Crowd.Publish(b, turn)
	c.CPU += cpuTime(b) - before
	c.Messages += result.Messages
	c.took += result.Took
	c.P99 = max(c.P99, result.P99)
}

// Rate returns the acknowledged messages per second.
func (c *Contestant) Rate() float64 { return float64(c.Messages) / c.took.Seconds() }

// cpuTime returns the CPU time of this process, user and system.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// NeedDisk skips a benchmark whose temporary files would be in memory, where a sync costs nothing.
func NeedDisk(b *testing.B) {
	const tmpfs = 0x01021994 // statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.TempDir(), &fs); err != nil {
		b.Fatal(err)
	}
	if fs.Type == tmpfs {
		b.Skip("temporary files are in memory: set TMPDIR to a folder on a disk")
	}
}
