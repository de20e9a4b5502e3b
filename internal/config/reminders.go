package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"nhip/internal/settings"

	"github.com/goccy/go-yaml/ast"
)

// Defaults of the bounds of reminders.
const (
	defaultRemindersPerAddress = 60
	defaultRemindersPerKey     = 5_000
)

// minHookSecret is the least length of the secret of a web hook, characters.
const minHookSecret = 16

// settings returns the keys of one host, with a prefix as in "reminders.webhooks[0].".
func (h *ReminderHost) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "host", Value: settings.Text(&h.Host, hookHost)},
		{Key: prefix + "secret", Value: settings.Text(&h.Secret, hookSecret), Secret: true},
	}
}

// hookHost accepts a host in small letters, with or without a port.
func hookHost(s string) error {
	u, err := url.Parse("https://" + s)
	if err != nil || u.Host != s || u.Hostname() == "" || s != strings.ToLower(s) || u.Port() == "443" {
		return fmt.Errorf("must be a host as in push.example.org or push.example.org:8443, got %s", settings.Shown(s))
	}
	return settings.Printable(s)
}

// hookSecret accepts a text that can't be guessed.
func hookSecret(s string) error {
	if len(s) < minHookSecret {
		return fmt.Errorf("must have at least %d characters", minHookSecret)
	}
	return settings.Printable(s)
}

// readReminderHosts reads the hosts of web hooks.
func (e *Effective) readReminderHosts(f *settings.File, n ast.Node) {
	items, _ := f.Items(hooksKey, n)
	if len(items) == 0 {
		return
	}
	e.Reminders.Webhooks = make([]ReminderHost, len(items))
	for i, item := range items {
		h := &e.Reminders.Webhooks[i]
		prefix := prefix(hooksKey, i)
		if !f.Section(prefix, item, h.settings(prefix), nil) {
			continue
		}
		f.Require(item, prefix+"host", prefix+"secret")
		same := func(other ReminderHost) bool { return h.Host != "" && other.Host == h.Host }
		if j := slices.IndexFunc(e.Reminders.Webhooks[:i], same); j >= 0 {
			f.Refuse(prefix+"host", fmt.Sprintf("is already the host of reminders.webhooks[%d]", j))
		}
	}
}

// Secrets returns the secrets of web hooks by their hosts.
func (r *Reminders) Secrets() map[string]string {
	out := make(map[string]string, len(r.Webhooks))
	for _, h := range r.Webhooks {
		out[h.Host] = h.Secret
	}
	return out
}
