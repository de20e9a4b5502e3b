package config

import (
	"net/url"
	"os"
	"slices"
	"strings"
)

// Flag is a value from the command line, for one key.
type Flag struct {
	Name  string // with its dashes
	Key   string
	Value string // empty is not given
}

// Sources are what lies over the defaults, each over the one before.
type Sources struct {
	Path    string   // of the file; empty is none
	Environ []string // as os.Environ returns it
	Flags   []Flag
}

// Effective is the configuration that holds, and where each value comes from. Where there are
// faults (Err), what they are about is as if it had not been set.
type Effective struct {
	Config

	places map[string]place
	faults Faults
}

// Load reads all sources. It does not stop at a fault: Err tells all of them. A value is held
// against its rule even where another source lies over it.
func Load(s Sources) *Effective {
	e := &Effective{Config: Default(), places: make(map[string]place)}
	if s.Path != "" {
		e.readFile(s.Path)
	}
	for _, pair := range s.Environ {
		e.readVariable(pair)
	}
	for _, f := range s.Flags {
		if f.Value != "" {
			e.set(f.Key, f.Value, place{flag: f.Name})
		}
	}
	return e
}

// Err returns nil or Faults.
func (e *Effective) Err() error {
	if len(e.faults) == 0 {
		return nil
	}
	return e.faults.sorted()
}

// Refuse adds a fault that only the caller can see, at the place where the key was set. The rule is
// one clause without a full stop.
func (e *Effective) Refuse(key, rule string) { e.refuse(e.places[key], key, rule) }

func (e *Effective) refuse(at place, key, rule string) {
	e.faults = append(e.faults, Fault{at: at, key: key, rule: oneLine(rule)})
}

// Entry is one key as it holds.
type Entry struct {
	Key    string
	Value  string // on one line; a secret is covered
	Origin string // default, FILE:LINE, NHIP_… or --flag
}

// covered stands for a secret.
const covered = "[redacted]"

// Entries returns every key in a fixed order, those of the feeds last.
func (e *Effective) Entries() []Entry {
	var entries []Entry
	for _, s := range e.all() {
		entries = append(entries, Entry{Key: s.key, Value: s.display(), Origin: e.places[s.key].origin()})
	}
	return entries
}

func (s setting) display() string {
	v := s.value.String()
	if s.secret && v != "" {
		return covered
	}
	if u, err := url.Parse(v); err == nil && u.User != nil {
		v = u.Redacted()
	}
	return shown(v)
}

// set sets one of the settings, which the file has no monopoly on.
func (e *Effective) set(key, text string, at place) {
	s, ok := find(e.settings(), key)
	if !ok {
		e.refuse(at, key, "is no key of the configuration")
		return
	}
	e.put(s, text, at)
}

func (e *Effective) put(s setting, text string, at place) {
	if err := s.value.set(text); err != nil {
		e.refuse(at, s.key, err.Error())
		return
	}
	e.places[s.key] = at
}

// otherVariables begin like ours and set no key: those of the command line, and of tests.
func otherVariables() []string {
	return []string{"NHIP_DATA_DIR", "NHIP_LOG_LEVEL", "NHIP_INFLUXD", "NHIP_URL", "NHIP_TEST_MAIN"}
}

// readVariable sets a key from NAME=value. An empty variable is not set: compose files pass on
// variables that nobody gave a value.
func (e *Effective) readVariable(pair string) {
	name, text, _ := strings.Cut(pair, "=")
	if !strings.HasPrefix(name, envPrefix) || slices.Contains(otherVariables(), name) {
		return
	}
	for _, s := range e.settings() {
		if Variable(s.key) != name {
			continue
		}
		if text != "" {
			e.put(s, text, place{variable: name})
		}
		return
	}
	e.refuse(place{variable: name}, "", "sets no key; variables are named as "+Variable("http.listen")+" is for http.listen")
}

// readFile sets what a YAML file holds.
func (e *Effective) readFile(path string) {
	raw, err := os.ReadFile(path)
	if err != nil {
		e.refuse(place{}, "", "can't read the configuration: "+err.Error())
		return
	}
	(&file{Effective: e, path: path}).read(raw)
}
