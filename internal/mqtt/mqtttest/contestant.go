package mqtttest

import (
	"syscall"
	"testing"
	"time"
)

// Contestant is one side of a benchmark: its devices and what they were answered.
type Contestant struct {
	Crowd *Crowd

	Messages int
	CPU      time.Duration // of this process, which is the broker's
	P99      time.Duration // the 99th percentile from PUBLISH to PUBACK of the slowest turn

	took time.Duration
}

// Take lets the devices speak for a turn.
func (a *Contestant) Take(b *testing.B, turn time.Duration) {
	before := cpuTime(b)
	answered := a.Crowd.Speak(b, turn)
	a.CPU += cpuTime(b) - before
	a.Messages += answered.Messages
	a.took += answered.Took
	a.P99 = max(a.P99, answered.P99)
}

// Rate returns the messages acknowledged in a second.
func (a *Contestant) Rate() float64 { return float64(a.Messages) / a.took.Seconds() }

// cpuTime is what this process has had of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// NeedDisk skips where the benchmark's files would be in memory: a sync that costs nothing proves
// nothing.
func NeedDisk(b *testing.B) {
	const tmpfs = 0x01021994 // statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.TempDir(), &fs); err != nil {
		b.Fatal(err)
	}
	if fs.Type == tmpfs {
		b.Skip("temporary files are in memory here: set TMPDIR to a folder on a disk")
	}
}
