package ledger

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// entry is a remembered fact.
type entry struct {
	time  int64 // ms since 1970
	print uint64
}

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.print, b.print))
}

func compareTimes(a entry, t int64) int { return cmp.Compare(a.time, t) }

// sortUnique sorts entries from several sources and removes duplicates.
func sortUnique(entries []entry) []entry {
	if !slices.IsSortedFunc(entries, compareEntries) {
		slices.SortFunc(entries, compareEntries)
	}
	return slices.Compact(entries)
}

const (
	printSize = 6
	minEntry  = printSize + 1 // bytes of the shortest entry
	wholeMS   = 1             // scale of times with milliseconds
	wholeSec  = 1000          // scale of times in whole seconds, which most devices send
)

// appendSeries appends the entries of a series, which must be sorted by time and not be empty: name, number, scale,
// length of the times, times, fingerprints. The first time is relative to start, each other to the one before.
func appendSeries(b []byte, name string, start int64, entries []entry) []byte {
	b = appendBytes(b, name)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	scale := scaleOf(start, entries)
	b = binary.AppendUvarint(b, uint64(scale))
	times := make([]byte, 0, 512)
	times = binary.AppendVarint(times, (entries[0].time-start)/scale)
	for i := 1; i < len(entries); i++ {
		times = binary.AppendUvarint(times, uint64(entries[i].time-entries[i-1].time)/uint64(scale))
	}
	b = appendBytes(b, times)
	for _, e := range entries {
		b = append(b, byte(e.print), byte(e.print>>8), byte(e.print>>16), byte(e.print>>24), byte(e.print>>32),
			byte(e.print>>40))
	}
	return b
}

func scaleOf(start int64, entries []entry) int64 {
	for _, e := range entries {
		if (e.time-start)%wholeSec != 0 {
			return wholeMS
		}
	}
	return wholeSec
}

// entryReader reads the entries of a series in order.
type entryReader struct {
	times  scanner
	prints []byte
	scale  int64
	time   int64
	begun  bool
}

// scanSeries reads a series from s.
func scanSeries(s *scanner, start int64) (name []byte, r entryReader) {
	name = s.bytes()
	n := s.uvarint()
	scale := s.uvarint()
	times := s.bytes()
	if n == 0 || n > uint64(len(s.b)/printSize) || scale != wholeMS && scale != wholeSec {
		s.fail()
		return nil, entryReader{}
	}
	return name, entryReader{times: scanner{b: times}, prints: s.take(n * printSize), scale: int64(scale), time: start}
}

// next returns the next entry, and false at the end or if the data is invalid.
func (r *entryReader) next() (entry, bool) {
	if len(r.prints) == 0 || r.times.bad {
		return entry{}, false
	}
	if r.begun {
		r.time += int64(r.times.uvarint()) * r.scale
	} else {
		r.time += r.times.varint() * r.scale
		r.begun = true
	}
	p := r.prints[:printSize]
	r.prints = r.prints[printSize:]
	print := uint64(binary.LittleEndian.Uint32(p)) | uint64(p[4])<<32 | uint64(p[5])<<40
	return entry{r.time, print}, !r.times.bad
}
