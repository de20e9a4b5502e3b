package config

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"nhip/internal/settings"
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

	places map[string]settings.Place
	faults settings.Faults
}

// Load reads all sources. It does not stop at a fault: Err tells all of them. A value is held
// against its rule even where another source lies over it.
func Load(s Sources) *Effective {
	e := &Effective{Config: Default(), places: make(map[string]settings.Place)}
	if s.Path != "" {
		e.readFile(s.Path)
	}
	for _, pair := range s.Environ {
		e.readVariable(pair)
	}
	for _, f := range s.Flags {
		if f.Value != "" {
			e.set(f.Key, f.Value, settings.Place{Flag: f.Name})
		}
	}
	return e
}

// Err returns nil or settings.Faults.
func (e *Effective) Err() error {
	if len(e.faults) == 0 {
		return nil
	}
	return e.faults.Sorted()
}

// Refuse adds a fault that only the caller can see, at the place where the key was set. The rule is
// one clause without a full stop.
func (e *Effective) Refuse(key, rule string) { e.refuse(e.places[key], key, rule) }

func (e *Effective) refuse(at settings.Place, key, rule string) {
	e.faults = append(e.faults, settings.NewFault(at, key, rule))
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
		entries = append(entries, Entry{Key: s.Key, Value: display(s), Origin: e.places[s.Key].Origin()})
	}
	return entries
}

func display(s settings.Setting) string {
	v := s.Value.String()
	if s.Secret && v != "" {
		return covered
	}
	if u, err := url.Parse(v); err == nil && u.User != nil {
		v = u.Redacted()
	}
	return settings.Shown(v)
}

// set sets one of the settings, which the file has no monopoly on.
func (e *Effective) set(key, text string, at settings.Place) {
	s, ok := settings.Find(e.settings(), key)
	if !ok {
		e.refuse(at, key, "is no key of the configuration")
		return
	}
	e.put(s, text, at)
}

func (e *Effective) put(s settings.Setting, text string, at settings.Place) {
	if err := s.Value.Set(text); err != nil {
		e.refuse(at, s.Key, err.Error())
		return
	}
	e.places[s.Key] = at
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
		if Variable(s.Key) != name {
			continue
		}
		if text != "" {
			e.put(s, text, settings.Place{Variable: name})
		}
		return
	}
	e.refuse(settings.Place{Variable: name}, "", "sets no key; variables are named as "+Variable("http.listen")+" is for http.listen")
}

// readFile sets what a YAML file holds.
func (e *Effective) readFile(path string) {
	raw, err := os.ReadFile(path)
	if err != nil {
		e.refuse(settings.Place{}, "", "can't read the configuration: "+err.Error())
		return
	}
	e.read(path, raw)
}
