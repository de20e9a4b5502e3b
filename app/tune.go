package app

import (
	"os"
	goruntime "runtime"
	"runtime/debug"
	"runtime/metrics"
)

// gcPercent starts a garbage collection when the heap has grown by half. With Go's default of 100, a collector of
// 100,000 devices needs a quarter more memory; the CPU time of the collections did not change measurably.
const gcPercent = 50

// gcHeadroom is by how many bytes a heap grows at least before a garbage collection. The heap of a small city has 70
// MB, of which a list takes 0.2 MB for a moment: half of that was collected so often that it took a quarter of the CPU
// time of an overload.
const gcHeadroom = 96 << 20

// maxGCPercent bounds the growth of a heap that is small, or not measured yet.
const maxGCPercent = 400

// procsPerCPU is how many of Go's processors there are for each real one, and leastProcs how many at least. The
// requests of strangers that run at a time take one or two for each real one (rest.Admission); a message of a device
// finds a free one of Go's, and the system prefers its thread, which has slept, to theirs. With one for each real
// processor it waited for them.
const (
	procsPerCPU = 3
	leastProcs  = 4
)

// TuneRuntime sets how Go's runtime of this process uses memory and processors for roles. What GOGC and GOMAXPROCS set
// in the environment stays.
func TuneRuntime() {
	if os.Getenv("GOGC") == "" {
		tuneAfterEachGC(gcPercent)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		goruntime.GOMAXPROCS(max(procsPerCPU*goruntime.NumCPU(), leastProcs))
	}
}

// tuneAfterEachGC adapts the growth until the next collection to what the last one has left. now is the percentage in
// use. The runtime runs it for as long as the process lives.
func tuneAfterEachGC(now int) {
	debug.SetGCPercent(now)
	goruntime.AddCleanup(new(marker), func(before int) {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		if sample[0].Value.Kind() != metrics.KindUint64 {
			return
		}
		tuneAfterEachGC(percentFor(sample[0].Value.Uint64(), before))
	}, now)
}

// marker is garbage that the next collection finds. It has a pointer, so that it is not allocated together with others.
type marker struct{ _ *byte }

// percentFor returns the growth of a heap of live bytes, in percent. Small changes are not worth the stop of the world.
func percentFor(live uint64, before int) int {
	want := gcPercent
	if live < gcHeadroom*100/gcPercent {
		want = min(int(gcHeadroom*100/max(live, 1)), maxGCPercent)
	}
	if diff := want - before; diff*diff < 100 {
		return before
	}
	return want
}
