package decode

import "strings"

// CloneStrings replaces strings that share the memory of a payload or a topic (jsonscan.Scanner.View) by copies. All
// copies share one allocation, which lives as long as one of them is in use: pass the strings of one row, never those
// of a whole batch.
func CloneStrings(texts ...*string) {
	size := 0
	for _, t := range texts {
		size += len(*t)
	}
	var b strings.Builder
	b.Grow(size)
	for _, t := range texts {
		b.WriteString(*t)
	}
	all := b.String()
	for _, t := range texts {
		n := len(*t)
		*t, all = all[:n], all[n:]
	}
}
