package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is where a value comes from. The zero Place is the default.
type Place struct {
	Path         string // of the file
	Line, Column int    // in the file, from 1
	Variable     string
	Flag         string // with its dashes
}

// Origin is how a value's place is shown: default, FILE:LINE, NHIP_… or --flag.
func (p Place) Origin() string {
	switch {
	case p.Path != "":
		return fmt.Sprintf("%s:%d", p.Path, p.Line)
	case p != Place{}:
		return p.Variable + p.Flag
	}
	return "default"
}

// Fault is one thing that can't be, and where it was written.
type Fault struct {
	At   Place
	Key  string // empty when it is none's
	Rule string // one clause, on one line
}

// NewFault returns a fault; whatever the rule holds, it is kept on one line.
func NewFault(at Place, key, rule string) Fault { return Fault{At: at, Key: key, Rule: oneLine(rule)} }

// Error returns "FILE:LINE:COLUMN: key: rule", with the variable or the flag instead of the file
// when that set it.
func (f Fault) Error() string {
	var parts []string
	switch {
	case f.At.Path != "":
		parts = append(parts, fmt.Sprintf("%s:%d:%d", f.At.Path, f.At.Line, f.At.Column))
	case f.At != Place{}:
		parts = append(parts, Shown(f.At.Variable+f.At.Flag))
	}
	if f.Key != "" {
		parts = append(parts, Shown(f.Key)) // it may be any text that stood where a key does
	}
	return strings.Join(append(parts, f.Rule), ": ")
}

// Faults is every fault of a file or a configuration.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Sorted returns them in the order of the file, then variables, then flags.
func (f Faults) Sorted() Faults {
	sorted := slices.Clone(f)
	slices.SortStableFunc(sorted, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.At.Flag, b.At.Flag),
			cmp.Compare(a.At.Variable, b.At.Variable),
			cmp.Compare(a.At.Line, b.At.Line),
			cmp.Compare(a.At.Column, b.At.Column),
		)
	})
	return sorted
}

// oneLine keeps a fault on its line, whatever a library's error holds.
func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") }
