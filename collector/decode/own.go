package decode

import "strings"

// Own copies texts that still lie in a payload or a topic (jsonscan.Scanner.View) and points them to
// the copies. All of them become one piece of memory, which lives as long as one of them is kept: so
// give it the texts of one row, never those of a whole batch.
func Own(texts ...*string) {
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
