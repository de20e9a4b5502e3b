package reading

import (
	"testing"

	"nhip/collector/decode/decodetest"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func TestCost(t *testing.T) {
	decodetest.Cost(t, Decoder, "full", 3)
	decodetest.Cost(t, Decoder, "batch", 3)
}

func BenchmarkReading(b *testing.B) { decodetest.Benchmark(b, Decoder, "full") }

func BenchmarkBatchOf3(b *testing.B) { decodetest.Benchmark(b, Decoder, "batch") }
