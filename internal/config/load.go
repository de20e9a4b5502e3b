package config

import (
	"net/url"
	"slices"
	"strings"

	"nhip/internal/settings"
)

// Flag is a value from the command line, for one key.
type Flag struct {
	Name  string // with its dashes
	Key   string
	Value string // empty: not given
}

// Sources are the sources of values, each with precedence over the previous one. The defaults come before all.
type Sources struct {
	Path    string   // of the file; empty: none
	Environ []string // as os.Environ returns it
	Flags   []Flag
}

// Effective is the configuration in effect, with the origin of each value. A value with a fault (see Err) has no
// effect.
type Effective struct {
	Config

	positions map[string]settings.Position
	faults    settings.Faults
}

// Load reads all sources. It does not stop at a fault: Err returns all faults. It checks every value, even one that
// another source overrides.
func Load(s Sources) *Effective {
	e := &Effective{Config: Default(), positions: make(map[string]settings.Position)}
	if s.Path != "" {
		e.readFile(s.Path)
	}
	for _, pair := range s.Environ {
		e.readVariable(pair)
	}
	for _, f := range s.Flags {
		if f.Value != "" {
			e.set(f.Key, f.Value, settings.Position{Flag: f.Name})
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

// Refuse adds a fault that the caller has found, at the position where the key was set. The rule is one clause without
// a full stop.
func (e *Effective) Refuse(key, rule string) { e.refuse(e.positions[key], key, rule) }

// FromEnvironment reports whether a key's value in effect comes from an environment variable. Roles often share an
// environment, which then has values that only some of them need.
func (e *Effective) FromEnvironment(key string) bool { return e.positions[key].Variable != "" }

func (e *Effective) refuse(at settings.Position, key, rule string) {
	e.faults = append(e.faults, settings.NewFault(at, key, rule))
}

// Entry is the effective value of one key, for display.
type Entry struct {
	Key    string
	Value  string // on one line; secrets are redacted
	Origin string // default, FILE:LINE, NHIP_… or --flag
}

// redacted replaces a secret.
const redacted = "[redacted]"

// Entries returns all keys in a fixed order. The keys of lists come last.
func (e *Effective) Entries() []Entry {
	var entries []Entry
	for _, s := range e.all() {
		entries = append(entries, Entry{Key: s.Key, Value: display(s), Origin: e.positions[s.Key].Origin()})
	}
	return entries
}

func display(s settings.Setting) string {
	v := s.Value.String()
	if s.Secret && v != "" {
		return redacted
	}
	if s.Address {
		return settings.Shown(redactAddress(v))
	}
	return settings.Shown(redactAddresses(v))
}

// redactAddress removes the password from one address. Unlike in a list, a comma is part of it.
func redactAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return redacted
	}
	return u.Redacted()
}

// redactAddresses removes passwords and queries, which may be keys, from the addresses in a list.
func redactAddresses(list string) string {
	parts := strings.Split(list, ",")
	for i, part := range parts {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" || u.User == nil && u.RawQuery == "" {
			continue
		}
		if u.RawQuery != "" {
			u.RawQuery = redacted
		}
		parts[i] = part[:len(part)-len(strings.TrimLeft(part, " "))] + u.Redacted()
	}
	return strings.Join(parts, ",")
}

// set sets a key from a flag. Keys of lists can be set in the file only.
func (e *Effective) set(key, text string, at settings.Position) {
	s, ok := settings.Find(e.settings(), key)
	if !ok {
		e.refuse(at, key, "is not a configuration key")
		return
	}
	e.assign(s, text, at)
}

func (e *Effective) assign(s settings.Setting, text string, at settings.Position) {
	if err := s.Value.Set(text); err != nil {
		e.refuse(at, s.Key, err.Error())
		return
	}
	e.positions[s.Key] = at
}

// nonKeyVariables returns the variables with our prefix that set no key: those of the command line and of tests.
func nonKeyVariables() []string {
	return []string{"NHIP_DATA_DIR", "NHIP_LOG_LEVEL", "NHIP_INFLUXD", "NHIP_URL", "NHIP_TEST_MAIN"}
}

// readVariable sets a key from NAME=value. An empty variable counts as not set: compose files pass on variables without
// a value.
func (e *Effective) readVariable(pair string) {
	name, text, _ := strings.Cut(pair, "=")
	if !strings.HasPrefix(name, envPrefix) || slices.Contains(nonKeyVariables(), name) {
		return
	}
	if s, ok := e.settingOf(name); ok {
		if text != "" {
			e.assign(s, text, settings.Position{Variable: name})
		}
		return
	}
	e.refuse(settings.Position{Variable: name}, "", "sets no key; the variable of http.listen is "+Variable("http.listen"))
}

// settingOf returns the setting that a variable sets: a key with one value, or the password of a source in the file.
func (e *Effective) settingOf(variable string) (settings.Setting, bool) {
	for _, s := range e.settings() {
		if Variable(s.Key) == variable {
			return s, true
		}
	}
	for i := range e.Sources {
		if s := &e.Sources[i]; s.Name != "" && s.passwordVariable() == variable {
			prefix := prefix(sourcesKey, i)
			return settings.Find(s.settings(prefix), prefix+"password")
		}
	}
	return settings.Setting{}, false
}

// readFile sets the values in a YAML file.
func (e *Effective) readFile(path string) {
	raw, err := settings.ReadFile(path)
	if err != nil {
		e.refuse(settings.Position{}, "", "can't read the configuration: "+err.Error())
		return
	}
	e.read(path, raw)
}
