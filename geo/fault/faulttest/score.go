package faulttest

import (
	"fmt"
	"slices"
	"strings"

	"nhip"
	"nhip/geo/fault"
)

// counts are numbers of values.
type counts struct {
	all, faulty, flagged, right, net, failed, failedRight, failedNet int
	untouchedFlagged, untouchedFailed                                int
	beside, besideFlagged, besideUntouched                           int
}

// Tally adds up the scores of several runs.
type Tally struct {
	counts
	kinds map[string]*KindScore
}

// Add compares what was found with the faults that were put in, and with what is found without them. Weather does not
// count.
func (y *Tally) Add(n *Network, injected []Injected, labels Labels, with, without *Found) {
	if y.kinds == nil {
		y.kinds = make(map[string]*KindScore)
	}
	during := make(map[int64]bool) // hours in which any monitor is faulty
	for _, x := range injected {
		for h := x.From; h < x.To; h++ {
			during[h] = true
		}
	}
	for i := range n.Series {
		s := &n.Series[i]
		if s.Quantity == nhip.Temperature || s.Quantity == nhip.Humidity {
			continue
		}
		for k := range s.Values {
			y.addValue(labels[i][k], with.Flags[i][k], without.Flags[i][k], during[hourOf(s.At[k])])
			if label := labels[i][k]; label != 0 {
				kind := y.kind(injected[label-1].Kind.Name)
				kind.Values++
				if with.Flags[i][k] >= nhip.FlagSuspect {
					kind.Flagged++
				}
				if with.Flags[i][k] == nhip.FlagFail {
					kind.Failed++
				}
			}
		}
	}
	for k := range injected {
		y.addName(&injected[k], with)
	}
}

func (y *Tally) kind(name string) *KindScore {
	if y.kinds[name] == nil {
		y.kinds[name] = &KindScore{Names: make(map[fault.Cause]int)}
	}
	return y.kinds[name]
}

func (y *Tally) addValue(label int, with, without nhip.Flag, during bool) {
	count := func(to *int, yes bool) {
		if yes {
			*to++
		}
	}
	flagged, failed := with >= nhip.FlagSuspect, with == nhip.FlagFail
	y.all++
	count(&y.faulty, label != 0)
	count(&y.flagged, flagged)
	count(&y.right, flagged && label != 0)
	count(&y.net, flagged && (label != 0 || without < nhip.FlagSuspect))
	count(&y.failed, failed)
	count(&y.failedRight, failed && label != 0)
	count(&y.failedNet, failed && (label != 0 || without != nhip.FlagFail))
	count(&y.untouchedFlagged, without >= nhip.FlagSuspect)
	count(&y.untouchedFailed, without == nhip.FlagFail)
	if label == 0 && during {
		y.beside++
		count(&y.besideFlagged, flagged)
		count(&y.besideUntouched, without >= nhip.FlagSuspect)
	}
}

// addName compares the name of an injected fault with the one that covers most of its hours.
func (y *Tally) addName(x *Injected, with *Found) {
	kind := y.kind(x.Kind.Name)
	kind.Number++
	if x.Kind.Causes == nil {
		return
	}
	hours := make(map[fault.Cause]int64)
	for _, f := range with.Faults {
		if f.Monitor == x.Monitor && slices.Contains(x.Quantities, f.Quantity) {
			if n := min(f.End, x.To) - max(f.First, x.From); n > 0 {
				hours[f.Cause] += n
			}
		}
	}
	best, most := fault.Cause(""), int64(0)
	for _, c := range fault.Causes() {
		if hours[c] > most {
			best, most = c, hours[c]
		}
	}
	if best == "" {
		return
	}
	kind.Found++
	kind.Names[best]++
	if slices.Contains(x.Kind.Causes, best) {
		kind.Right++
	}
}

// Score returns the score of all that was added.
func (y *Tally) Score() Score {
	s := Score{
		Share: share(y.faulty, y.all), Precision: share(y.right, y.flagged), Recall: share(y.right, y.faulty),
		Net: share(y.right, y.net), FailPrecision: share(y.failedRight, y.failed),
		FailNet: share(y.failedRight, y.failedNet), FailRecall: share(y.failedRight, y.faulty),
		Untouched: share(y.untouchedFlagged, y.all), UntouchedFail: share(y.untouchedFailed, y.all), Kinds: y.kinds,
		NeighboursWith: share(y.besideFlagged, y.beside), NeighboursOut: share(y.besideUntouched, y.beside),
	}
	for _, k := range y.kinds {
		s.Named += k.Found
		s.Right += k.Right
	}
	return s
}

// String returns the score as a table.
func (s Score) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "faulty %.1f %%; flagged P %.1f (net %.1f) R %.1f; failed P %.1f (net %.1f) R %.1f; ",
		s.Share, s.Precision, s.Net, s.Recall, s.FailPrecision, s.FailNet, s.FailRecall)
	fmt.Fprintf(&b, "untouched flagged %.2f failed %.3f; beside faults %.2f (untouched %.2f); names %d of %d (%.0f %%)\n",
		s.Untouched, s.UntouchedFail, s.NeighboursWith, s.NeighboursOut, s.Right, s.Named, share(s.Right, s.Named))
	names := make([]string, 0, len(s.Kinds))
	for name := range s.Kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		k := s.Kinds[name]
		fmt.Fprintf(&b, "  %-20s n %3d  flagged %3.0f  failed %3.0f  named %d of %d %v\n", name, k.Number,
			share(k.Flagged, k.Values), share(k.Failed, k.Values), k.Right, k.Found, k.Names)
	}
	return b.String()
}
