package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is where a value was set. The zero Position stands for the default.
type Position struct {
	Path         string // of the file
	Line, Column int    // in the file, from 1
	Variable     string
	Flag         string // with its dashes
}

// Origin returns the position for display: default, FILE:LINE, NHIP_… or --flag.
func (p Position) Origin() string {
	switch {
	case p.Path != "":
		return fmt.Sprintf("%s:%d", p.Path, p.Line)
	case p != Position{}:
		return p.Variable + p.Flag
	}
	return "default"
}

// Fault is an invalid value or key and its position.
type Fault struct {
	At   Position
	Key  string // empty if the fault is not about one key
	Rule string // one clause, on one line
}

// NewFault returns a fault. It joins the lines of a rule that has several.
func NewFault(at Position, key, rule string) Fault {
	return Fault{At: at, Key: key, Rule: oneLine(rule)}
}

// Error returns "FILE:LINE:COLUMN: key: rule", with the variable or the flag instead of the file if that set the
// value.
func (f Fault) Error() string {
	var parts []string
	switch {
	case f.At.Path != "":
		parts = append(parts, fmt.Sprintf("%s:%d:%d", f.At.Path, f.At.Line, f.At.Column))
	case f.At != Position{}:
		parts = append(parts, Shown(f.At.Variable+f.At.Flag))
	}
	if f.Key != "" {
		parts = append(parts, Shown(f.Key)) // an unknown key may be any text
	}
	return strings.Join(append(parts, f.Rule), ": ")
}

// Faults are all faults of a file or of the configuration.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Sorted returns the faults of the file in its order, then those of variables, then those of flags.
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

// oneLine joins the lines of the first maxRule bytes of a text, such as a library's error.
func oneLine(s string) string {
	if len(s) > maxRule {
		s = strings.ToValidUTF8(s[:maxRule], "") + "…"
	}
	return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
}
