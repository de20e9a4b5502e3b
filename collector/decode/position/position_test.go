package position

import (
	"testing"

	"nhip/collector/decode/decodetest"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func TestCost(t *testing.T) {
	decodetest.Cost(t, Decoder, "full", 3)
	decodetest.Cost(t, Decoder, "everything", 3)
	decodetest.Cost(t, Decoder, "batch", 1+3) // one for the vehicle, and one for the strings of each row
}

func BenchmarkPosition(b *testing.B) { decodetest.Benchmark(b, Decoder, "full") }

func BenchmarkEverything(b *testing.B) { decodetest.Benchmark(b, Decoder, "everything") }

func BenchmarkBatchOf3(b *testing.B) { decodetest.Benchmark(b, Decoder, "batch") }
