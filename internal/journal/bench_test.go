package journal

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkAppend has appenders that wait for each outcome, like devices with one message in flight.
func BenchmarkAppend(b *testing.B) {
	for _, appenders := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("appenders=%d", appenders), func(b *testing.B) { benchAppend(b, appenders) })
	}
}

func benchAppend(b *testing.B, appenders int) {
	j := mustOpen(b, b.TempDir(), Options{})
	record := make([]byte, 150)
	b.SetParallelism(max(1, appenders/runtime.GOMAXPROCS(0)))
	if appenders == 1 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		acked := make(chan error, 1)
		done := func(_ uint64, err error) { acked <- err }
		for pb.Next() {
			j.Append(record, done)
			if err := <-acked; err != nil {
				b.Error(err)
				return
			}
		}
	})
	report(b, j)
}

// BenchmarkAppendStream has one appender that does not wait, like a connection with a large window.
func BenchmarkAppendStream(b *testing.B) {
	j := mustOpen(b, b.TempDir(), Options{})
	record := make([]byte, 150)
	done := func(_ uint64, err error) {
		if err != nil {
			b.Error(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		j.Append(record, done)
	}
	mustClose(b, j)
	report(b, j)
}

func report(b *testing.B, j *Journal) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rec/s")
	b.ReportMetric(float64(j.Stats().Commits)/float64(b.N), "syncs/rec")
}

// BenchmarkRead reads records of 150 bytes from frames of a hundred.
func BenchmarkRead(b *testing.B) {
	j := mustOpen(b, b.TempDir(), Options{})
	batch := make([]string, 100)
	for i := range batch {
		batch[i] = string(make([]byte, 150))
	}
	for range 1000 {
		appendBatch(j, batch)
	}
	r := j.Reader(1)
	b.ReportAllocs()
	for b.Loop() {
		_, _, ok, err := r.TryNext()
		if err != nil {
			b.Fatal(err)
		}
		if !ok {
			_ = r.Close()
			r = j.Reader(1)
		}
	}
	_ = r.Close()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rec/s")
}
