package openid

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"nhip"
)

// Rule gives people with a claim a role and a scope.
type Rule struct {
	Claim string     // name, or path of names with dots, as in realm_access.roles
	Value string     // of the claim, or one in its list
	Role  nhip.Role  // of staff
	Scope nhip.Scope // zero: everything
}

// ruleIDBytes is how much of the SHA-256 of a rule its id has.
const ruleIDBytes = 12

// ID returns the id of a rule, which is another one when anything in the rule changes.
func (r *Rule) ID() string {
	raw, err := json.Marshal(r)
	if err != nil {
		return "" // never: it has texts only
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:ruleIDBytes])
}

// Grant is what rules give a person.
type Grant struct {
	Role  nhip.Role
	Scope nhip.Scope
	Rules []string // ids of the rules that gave it
}

// grantOf returns what rules give a person with claims: the role of the first rule that matches, and the scopes of all
// that match with this role. ok is false if no rule matches.
func grantOf(rules []Rule, c claims) (g Grant, ok bool) {
	for i := range rules {
		r := &rules[i]
		switch {
		case !c.has(r.Claim, r.Value):
			continue
		case !ok:
			g, ok = Grant{Role: r.Role, Scope: r.Scope}, true
		case r.Role != g.Role:
			continue
		default:
			g.Scope = Unite(g.Scope, r.Scope)
		}
		if id := r.ID(); !slices.Contains(g.Rules, id) {
			g.Rules = append(g.Rules, id)
		}
	}
	return g, ok
}

// Unite returns a scope with what either one shows.
func Unite(a, b nhip.Scope) (out nhip.Scope) {
	if a.LimitsStations() && b.LimitsStations() {
		out.Zones, out.Areas = union(a.Zones, b.Zones), union(a.Areas, b.Areas)
		out.Stations = union(a.Stations, b.Stations)
	}
	if a.LimitsAgencies() && b.LimitsAgencies() {
		out.Agencies = union(a.Agencies, b.Agencies)
	}
	return out
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
