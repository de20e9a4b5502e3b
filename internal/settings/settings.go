// Package settings reads the configuration and the fleet file: keys whose values keep rules, in strict YAML. It reports
// every fault with its line and column.
package settings

import "strings"

// Setting is a key and its value.
type Setting struct {
	Key    string // with its sections: "http.listen", "feeds[0].topic"
	Value  Value
	Secret bool // never displayed

	Address bool // the address of a server, which may contain a password
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

// names lists the keys directly below a prefix, for the message about an unknown key.
func names(all []Setting, prefix string, lists Lists) []string {
	var names []string
	for _, s := range all {
		rest, below := strings.CutPrefix(s.Key, prefix)
		name, _, _ := strings.Cut(rest, ".")
		if below && (len(names) == 0 || names[len(names)-1] != name) { // the keys of a section are adjacent
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
