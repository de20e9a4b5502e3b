package app

import (
	"os"
	goruntime "runtime"
	"runtime/debug"
)

// gcPercent starts a garbage collection when the heap has grown by half. With Go's default of 100, a collector of
// 100,000 devices needs a quarter more memory; the CPU time of the collections did not change measurably.
const gcPercent = 50

// sparePerCPU is how many of Go's processors there are for each real one. The requests of strangers that run at a
// time take as many as there are real ones (rest.Admission); a message of a device finds a free one of Go's, and the
// system prefers its thread, which has slept, to theirs. With one for each real processor it waited for them.
const sparePerCPU = 2

// TuneRuntime sets how Go's runtime of this process uses memory and processors for roles. What GOGC and GOMAXPROCS set
// in the environment stays.
func TuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		goruntime.GOMAXPROCS(sparePerCPU*goruntime.NumCPU() + 2)
	}
}
