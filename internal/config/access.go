package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"nhip"
	"nhip/internal/settings"

	"github.com/goccy/go-yaml/ast"
)

// Bounds of the sign-in at an issuer.
const (
	minSignIn      = time.Minute
	maxAccessRules = 200
)

// settings returns the keys of one rule, with a prefix as in "access.oidc.rules[0].".
func (r *AccessRule) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "claim", Value: settings.Text(&r.Claim, settings.ID)},
		{Key: prefix + "value", Value: settings.Text(&r.Value, settings.ID)},
		{Key: prefix + "role", Value: settings.Choice(&r.Role, staffRoles()...)},
		{Key: prefix + "zones", Value: settings.TextList(&r.Zones, settings.ID)},
		{Key: prefix + "areas", Value: settings.TextList(&r.Areas, settings.ID)},
		{Key: prefix + "stations", Value: settings.TextList(&r.Stations, settings.ID)},
		{Key: prefix + "agencies", Value: settings.TextList(&r.Agencies, settings.ID)},
	}
}

// Scope returns the scope of a rule.
func (r *AccessRule) Scope() nhip.Scope {
	return nhip.Scope{Zones: r.Zones, Areas: r.Areas, Stations: r.Stations, Agencies: r.Agencies}
}

func staffRoles() (names []string) {
	for _, role := range nhip.Roles {
		if role.Staff() {
			names = append(names, string(role))
		}
	}
	return names
}

// readRules reads the rules for people who sign in at the issuer.
func (e *Effective) readRules(f *settings.File, n ast.Node) {
	items, _ := f.Items(rulesKey, n)
	if len(items) > maxAccessRules {
		f.RefuseAt(n, rulesKey, fmt.Sprintf("must be at most %d, got %d", maxAccessRules, len(items)))
		return
	}
	if len(items) == 0 {
		return
	}
	e.Access.OIDC.Rules = make([]AccessRule, len(items))
	for i, item := range items {
		r := &e.Access.OIDC.Rules[i]
		prefix := prefix(rulesKey, i)
		if !f.Section(prefix, item, r.settings(prefix), nil) {
			continue
		}
		f.Require(item, prefix+"claim", prefix+"value", prefix+"role")
		var fault *nhip.Error
		if errors.As(r.Scope().Validate(), &fault) {
			f.Refuse(prefix+strings.TrimPrefix(fault.Field, "scope."), fault.Rule)
		}
	}
}

// issuerRule accepts the address of an issuer, with TLS unless it is on this machine: who can change the answers of the
// issuer is whom he likes.
func issuerRule(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || settings.Printable(s) != nil {
		return fmt.Errorf("must be an address as in https://id.example/realm, got %s", shownAddress(s))
	}
	local := u.Hostname() == "localhost"
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		local = a.IsLoopback()
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return fmt.Errorf("must be an https address, or http of this machine, got %s", settings.Shown(s))
	}
	return nil
}

// redirectRule accepts the address to which an issuer sends browsers back, or an empty text.
func redirectRule(s string) error {
	if err := settings.WebAddress(s); err != nil {
		return err
	}
	if strings.ContainsAny(s, "?#@") || settings.Printable(s) != nil {
		return errors.New("must be an address without a user, a query and a fragment")
	}
	return nil
}

// scopeRule accepts a scope that an issuer may be asked for (RFC 6749, appendix A.4).
func scopeRule(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return fmt.Errorf("must be scopes as in profile, got %s", settings.Shown(s))
	}
	return nil
}

// shownAddress returns an address for a fault, without a user.
func shownAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User != nil {
		return "another one"
	}
	return settings.Shown(s)
}
