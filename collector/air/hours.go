package air

import (
	"cmp"
	"slices"
	"sort"
)

// Ranges of hours. Readings of the last recentHours are assessed from memory, which also holds the readings before
// them up to the longest flat line that counts. Older readings are assessed from the database.
const (
	recentHours = 2
	windowHours = recentHours + 26
	liveHours   = 24      // published for a station
	chunkHours  = 31 * 24 // processed at once by a backfill
	chunkMargin = 26      // hours around a reading that its assessment depends on, and one more that is incomplete
)

// span is a range of hours, each identified by its end in hours since 1970: From is inclusive, To is exclusive. Hour h
// contains the values whose period ends after h-1 and not after h.
type span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// spans are sorted ranges of hours that neither overlap nor touch. They are immutable: add and remove return new ones.
type spans []span

func (s spans) add(from, to int64) spans {
	if from >= to {
		return s
	}
	i := sort.Search(len(s), func(i int) bool { return s[i].To >= from })
	if i == len(s) {
		return append(s[:len(s):len(s)], span{from, to})
	}
	if s[i].From <= from && s[i].To >= to {
		return s
	}
	j := i
	for j < len(s) && s[j].From <= to {
		from, to = min(from, s[j].From), max(to, s[j].To)
		j++
	}
	return slices.Concat(s[:i], spans{{from, to}}, s[j:])
}

func (s spans) addAll(other spans) spans {
	switch {
	case len(other) == 0:
		return s
	case len(s) == 0:
		return other
	case len(other) == 1:
		return s.add(other[0].From, other[0].To)
	}
	all := slices.Concat(s, other)
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.From, b.From) })
	out := all[:1]
	for _, x := range all[1:] {
		if last := &out[len(out)-1]; x.From <= last.To {
			last.To = max(last.To, x.To)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// spansOf returns the ranges of single hours in any order. It sorts them.
func spansOf(hours []int64) (out spans) {
	slices.Sort(hours)
	for _, h := range hours {
		if n := len(out); n > 0 && h <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, h+1)
		} else {
			out = append(out, span{h, h + 1})
		}
	}
	return out
}

func (s spans) remove(from, to int64) spans {
	var out spans
	for _, x := range s {
		if x.From < from {
			out = append(out, span{x.From, min(x.To, from)})
		}
		if x.To > to {
			out = append(out, span{max(x.From, to), x.To})
		}
	}
	return out
}

func (s spans) without(other spans) spans {
	for _, x := range other {
		s = s.remove(x.From, x.To)
	}
	return s
}

// within returns the hours between from, inclusive, and to, exclusive.
func (s spans) within(from, to int64) spans {
	var out spans
	for _, x := range s {
		if a, b := max(x.From, from), min(x.To, to); a < b {
			out = append(out, span{a, b})
		}
	}
	return out
}

// hours returns the number of hours.
func (s spans) hours() int64 {
	n := int64(0)
	for _, x := range s {
		n += x.To - x.From
	}
	return n
}

// hourMS is an hour in milliseconds.
const hourMS = 3_600_000

// hourOf returns the hour of a value whose period ends at ms since 1970.
func hourOf(ms int64) int64 {
	h := ms / hourMS
	if ms > h*hourMS {
		h++
	}
	return h
}

// endOf returns the end of an hour and startOf its start, in ms since 1970.
func endOf(h int64) int64   { return h * hourMS }
func startOf(h int64) int64 { return (h - 1) * hourMS }
