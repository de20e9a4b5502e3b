package air

import "slices"

// span is a stretch of hours, told by when each ends, in hours since 1970: from From, included, to To, not
// included. Hour h is made of the values that end after h-1 and at h at the latest.
type span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// spans are stretches of hours, sorted, none touching another. They are values: add and remove make new ones.
type spans []span

func (s spans) add(from, to int64) spans {
	if from >= to {
		return s
	}
	i := slices.IndexFunc(s, func(x span) bool { return x.To >= from })
	if i < 0 {
		return append(s[:len(s):len(s)], span{from, to})
	}
	j := i
	for j < len(s) && s[j].From <= to {
		from, to = min(from, s[j].From), max(to, s[j].To)
		j++
	}
	return slices.Concat(s[:i], spans{{from, to}}, s[j:])
}

func (s spans) addAll(other spans) spans {
	for _, x := range other {
		s = s.add(x.From, x.To)
	}
	return s
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

// within returns what lies from one hour, included, to another, not included.
func (s spans) within(from, to int64) spans {
	var out spans
	for _, x := range s {
		if a, b := max(x.From, from), min(x.To, to); a < b {
			out = append(out, span{a, b})
		}
	}
	return out
}

// hours counts them.
func (s spans) hours() int64 {
	n := int64(0)
	for _, x := range s {
		n += x.To - x.From
	}
	return n
}

// hourMS is an hour in ms.
const hourMS = 3_600_000

// hourOf returns the hour to which a value belongs that ends at a time in ms since 1970.
func hourOf(ms int64) int64 {
	h := ms / hourMS
	if ms > h*hourMS {
		h++
	}
	return h
}

// endOf returns when an hour ends, and startOf when it begins, in ms since 1970.
func endOf(h int64) int64   { return h * hourMS }
func startOf(h int64) int64 { return (h - 1) * hourMS }
