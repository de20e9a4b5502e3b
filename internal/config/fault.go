package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// place is where a value comes from. The zero place is the default.
type place struct {
	path         string // of the file
	line, column int    // in the file, from 1
	variable     string
	flag         string // with its dashes
}

// origin is how a value's place is shown: default, FILE:LINE, NHIP_… or --flag.
func (p place) origin() string {
	switch {
	case p.path != "":
		return fmt.Sprintf("%s:%d", p.path, p.line)
	case p != place{}:
		return p.variable + p.flag
	}
	return "default"
}

// Fault is one thing that can't be, and where it was written.
type Fault struct {
	at   place
	key  string // empty when it is none's
	rule string // one clause, on one line
}

// Error returns "FILE:LINE:COLUMN: key: rule", with the variable or the flag instead of the file
// when that set it.
func (f Fault) Error() string {
	var parts []string
	switch {
	case f.at.path != "":
		parts = append(parts, fmt.Sprintf("%s:%d:%d", f.at.path, f.at.line, f.at.column))
	case f.at != place{}:
		parts = append(parts, shown(f.at.variable+f.at.flag))
	}
	if f.key != "" {
		parts = append(parts, shown(f.key)) // it may be any text that stood where a key does
	}
	return strings.Join(append(parts, f.rule), ": ")
}

// Faults is every fault of a configuration, in the order of the file, then variables, then flags.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sorted() Faults {
	sorted := slices.Clone(f)
	slices.SortStableFunc(sorted, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.at.flag, b.at.flag),
			cmp.Compare(a.at.variable, b.at.variable),
			cmp.Compare(a.at.line, b.at.line),
			cmp.Compare(a.at.column, b.at.column),
		)
	})
	return sorted
}

// oneLine keeps a fault on its line, whatever a library's error holds.
func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") }
