package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// frameOf returns a masked frame.
func frameOf(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= maxLength7:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|length16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|length64), uint64(n))
	}
	mask := []byte{1, 2, 3, 250}
	b = append(b, mask...)
	for i := range payload {
		b = append(b, payload[i]^mask[i&3])
	}
	return b
}

// feedAll feeds bytes in parts and returns what was taken, and how it ended.
func feedAll(parts ...[]byte) string {
	var r frameReader
	var got []string
	for _, p := range parts {
		err := r.feed(p, func(op byte, payload []byte) error {
			got = append(got, fmt.Sprintf("%d %s", op, payload))
			return nil
		})
		var end *closing
		if errors.As(err, &end) {
			got = append(got, fmt.Sprintf("closed %d", end.status))
			break
		}
	}
	return strings.Join(got, ", ")
}

func TestFrameReader(t *testing.T) {
	t.Parallel()
	const first, more, last = opText, opContinuation, 0x80 | opContinuation
	for _, c := range []struct {
		name   string
		frames [][]byte
		want   string
	}{
		{"a message", [][]byte{frameOf(finalText, "hello")}, "1 hello"},
		{"an empty one", [][]byte{frameOf(finalText, "")}, "1 "},
		{"a binary one", [][]byte{frameOf(0x80|opBinary, "x")}, "2 x"},
		{"length of 16 bits", [][]byte{frameOf(finalText, strings.Repeat("x", 200))}, "1 " + strings.Repeat("x", 200)},
		{"fragments", [][]byte{frameOf(first, "he"), frameOf(more, "l"), frameOf(last, "lo")}, "1 hello"},
		{
			"a ping between fragments",
			[][]byte{frameOf(first, "he"), frameOf(finalPing, "p"), frameOf(last, "y")},
			"9 p, 1 hey",
		},
		{"a close frame", [][]byte{frameOf(finalClose, "\x03\xe8bye"), frameOf(finalText, "x")}, "closed 1000"},
		{"a close frame without a status", [][]byte{frameOf(finalClose, "")}, "closed 0"},
		{"half a status", [][]byte{frameOf(finalClose, "\x03")}, "closed 1002"},
		{"a reserved status", [][]byte{frameOf(finalClose, "\x03\xee")}, "closed 1002"},
		{"a reason that is not UTF-8", [][]byte{frameOf(finalClose, "\x03\xe8\xff")}, "closed 1007"},
		{"a long message", [][]byte{frameOf(finalText, strings.Repeat("x", maxMessage+1))}, "closed 1009"},
		{
			"a huge message",
			[][]byte{append([]byte{finalText, 0xff}, strings.Repeat("\xff", 8)+"mask"...)},
			"closed 1009",
		},
		{"long fragments", [][]byte{frameOf(first, strings.Repeat("x", maxMessage)), frameOf(last, "x")}, "closed 1009"},
		{"a continuation of nothing", [][]byte{frameOf(last, "x")}, "closed 1002"},
		{"a message within one", [][]byte{frameOf(first, "x"), frameOf(finalText, "y")}, "closed 1002"},
		{"no mask", [][]byte{{finalText, 1, 'x'}}, "closed 1002"},
		{"reserved bits", [][]byte{frameOf(finalText|0x40, "x")}, "closed 1002"},
		{"a reserved opcode", [][]byte{frameOf(0x83, "x")}, "closed 1002"},
		{"a reserved opcode of control", [][]byte{frameOf(0x8b, "x")}, "closed 1002"},
		{"a fragmented ping", [][]byte{frameOf(opPing, "x")}, "closed 1002"},
		{"a long ping", [][]byte{frameOf(finalPing, strings.Repeat("x", 126))}, "closed 1002"},
	} {
		if got := feedAll(c.frames...); got != c.want {
			t.Errorf("%s: %.80s, want %.80s", c.name, got, c.want)
		}
	}
}

// TestFrameReaderTakesAnyParts: how the bytes are split changes nothing, and no bytes make it panic.
func TestFrameReaderTakesAnyParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []byte
		for range rapid.IntRange(0, 8).Draw(t, "frames") {
			first := rapid.SampledFrom([]byte{finalText, opText, opContinuation, 0x80, finalPing, finalPong, finalClose, 0x82}).
				Draw(t, "first")
			all = append(all, frameOf(first, rapid.StringN(0, 200, 300).Draw(t, "payload"))...)
		}
		all = append(all, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "rest")...)
		size := rapid.IntRange(1, 40).Draw(t, "size")
		if whole, split := feedAll(all), feedAll(slices.Collect(slices.Chunk(all, size))...); whole != split {
			t.Fatalf("%q in one, %q in parts", whole, split)
		}
	})
}
