// Package settings is what configuration and fleet are made of: keys with values that keep rules, read
// from YAML that is not forgiven anything. Every fault is told, each by its line and column.
package settings

import "strings"

// Setting is one key and the value behind it.
type Setting struct {
	Key    string // with its sections: "http.listen", "feeds[0].topic"
	Value  Value
	Secret bool // never shown
}

// Find returns the setting of a key.
func Find(all []Setting, key string) (Setting, bool) {
	for _, s := range all {
		if s.Key == key {
			return s, true
		}
	}
	return Setting{}, false
}

// names lists the keys directly below a prefix, for whoever wrote one that is not there.
func names(all []Setting, prefix string, lists Lists) []string {
	var names []string
	for _, s := range all {
		rest, below := strings.CutPrefix(s.Key, prefix)
		name, _, _ := strings.Cut(rest, ".")
		if below && (len(names) == 0 || names[len(names)-1] != name) { // sections stand together
			names = append(names, name)
		}
	}
	for _, l := range lists {
		if name, below := strings.CutPrefix(l.Key, prefix); below && !strings.Contains(name, ".") {
			names = append(names, name)
		}
	}
	return names
}
