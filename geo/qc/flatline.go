package qc

import (
	"math"

	"nhip"
)

// flatLines flags the values of a series that are part of a flat line: all of them, the first ones too, once it is long
// enough. The questions need no order.
type flatLines struct {
	stretch  flatStretch
	from, to int         // samples of the last line without any change, to exclusive
	flag     nhip.Flag   // of it
	swept    []nhip.Flag // with a tolerance: the flags of all samples; empty until they are asked for
}

func (f *flatLines) reset(tolerance float64) {
	f.stretch.reset(tolerance)
	f.from, f.to, f.swept = 0, 0, f.swept[:0]
}

// at returns the flag of sample j.
func (f *flatLines) at(s *Series, j int, l *Params) nhip.Flag {
	if f.stretch.tolerance > 0 {
		if len(f.swept) != len(s.Samples) {
			f.sweep(s, l)
		}
		return f.swept[j]
	}
	if j < f.from || j >= f.to {
		f.from, f.to = s.equalRun(j)
		f.flag = l.flatLine(s, f.from, f.to-1)
	}
	return f.flag
}

// equalRun returns the range of samples around j that have its value and lie without a gap, to exclusive.
func (s *Series) equalRun(j int) (from, to int) {
	v := s.Samples[j].Value
	for from = j; from > 0 && s.Samples[from-1].Value == v && s.adjacent(from-1); from-- {
	}
	for to = j + 1; to < len(s.Samples) && s.Samples[to].Value == v && s.adjacent(to-1); to++ {
	}
	return from, to
}

// sweep flags all samples. Each is flagged as the worst of the stretches that contain it: as stretches begin ever
// later, these are the next one to end that is suspect, and the next one that fails.
func (f *flatLines) sweep(s *Series, l *Params) {
	n := len(s.Samples)
	flags, starts := make([]nhip.Flag, n), make([]int, n)
	for j := range n {
		starts[j] = f.stretch.since(s, j)
		flags[j] = l.flatLine(s, starts[j], j)
	}
	suspect, fail := n, n // begins of those stretches
	f.swept = append(f.swept[:0], flags...)
	for j := n - 1; j >= 0; j-- {
		if flags[j] >= nhip.FlagSuspect {
			suspect = starts[j]
		}
		if flags[j] == nhip.FlagFail {
			fail = starts[j]
		}
		switch {
		case fail <= j:
			f.swept[j] = nhip.FlagFail
		case suspect <= j:
			f.swept[j] = nhip.FlagSuspect
		}
	}
}

// flatLine returns the flag of a flat line from one sample to another, both inclusive. The period of the values is
// added to its length: two equal hourly means stand for two hours.
func (l *Params) flatLine(s *Series, from, to int) nhip.Flag {
	length := hours(s.Samples[to].At-s.Samples[from].At) + s.Period.Hours()
	if flag := l.beyond(length, 0); flag == nhip.FlagGood || l.Resolution == 0 {
		return flag
	}
	suspect, fail := l.coarseLimits(s.Samples[from].Value)
	coarse := Params{Suspect: max(l.Suspect, suspect), Fail: max(l.Fail, fail)}
	return coarse.beyond(length, 0)
}

// Near its resolution and its detection limit, an instrument reports equal values although it works. Hourly means
// change by a deviation of about usualChange, so that the share of equal successive values is the resolution by the
// density of that distribution in its middle. A flat line is suspect or fails where its evidence is beyond
// suspectEvidence or failEvidence: once in a million hours by chance, once in 10¹².
const (
	usualChange     = 0.15 // of the value; Beijing's references 2013 to 2017: 0.12 (PM2.5) to 0.19 (SO2, NO2)
	suspectEvidence = 14
	failEvidence    = 28
	maxEqualShare   = 0.98
	maxFlatHours    = 24 // longer ones are not looked for here: as many hours around a value are known
)

// coarseLimits returns the hours of one value beyond which it is suspect and fails, +Inf where it never does. Zero is
// no concentration that a working particle counter reports for hours; gases at zero have a check of their own.
func (l *Params) coarseLimits(v float64) (suspect, fail float64) {
	if v == 0 {
		return 0, 0
	}
	density := 1 / (usualChange * math.Sqrt(2*math.Pi))
	evidence := -math.Log(min(density*l.Resolution/math.Abs(v), maxEqualShare))
	limit := func(total float64) float64 {
		if h := total / evidence; h <= maxFlatHours {
			return h
		}
		return math.Inf(1)
	}
	return limit(suspectEvidence), limit(failEvidence)
}
