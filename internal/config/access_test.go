package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigKeysOfAccessRuleHaveEffect(t *testing.T) {
	e := load(t, `access:
  oidc:
    rules:
    - {claim: groups, value: air, role: analyst, zones: [district/ba-dinh], areas: [Ba Đình], stations: [hn-01]}
    - {claim: realm_access.roles, value: bus, role: dispatcher, agencies: [transerco]}
`, Sources{})
	want := []AccessRule{
		{
			Claim: "groups", Value: "air", Role: "analyst", Zones: []string{"district/ba-dinh"}, Areas: []string{"Ba Đình"},
			Stations: []string{"hn-01"},
		},
		{Claim: "realm_access.roles", Value: "bus", Role: "dispatcher", Agencies: []string{"transerco"}},
	}
	if diff := cmp.Diff(want, e.Access.OIDC.Rules); diff != "" || e.Err() != nil {
		t.Errorf("%v\n%s", e.Err(), diff)
	}
}

func TestInvalidKeysOfIssuerAreRefused(t *testing.T) {
	rule := func(more string) string { return "rules: [{claim: c, value: v, role: viewer" + more + "}]" }
	for text, want := range map[string]string{
		"issuer: 'http://id.example'":                         "issuer: must be an https address",
		"issuer: 'http://127.0.0.1:1'":                        "",
		"issuer: 'https://id.example/?a=b'":                   "issuer: must be an address as in",
		"issuer: 'https://u:s3c@id.example'":                  "issuer: must be an address as in",
		"issuer: id.example":                                  "issuer: must be an address as in",
		"redirect: 'https://a.example/b?c'":                   "redirect: must be an address without",
		"scopes: ['a b']":                                     "scopes: must be scopes as in profile",
		"session: 13h":                                        "session: must be between 1m and 12h, got 13h",
		"session: 1s":                                         "session: must be between 1m and 12h, got 1s",
		"secret: x":                                           "oidc.secret: is not a known key",
		rule(""):                                              "",
		rule(", zone: x"):                                     "rules[0].zone: is not a known key",
		rule(", zones: [a, a]"):                               "rules[0].zones: must not name \"a\" twice",
		"rules: [{claim: c, value: v, role: app}]":            "rules[0].role: must be",
		"rules: [{claim: c, role: viewer}]":                   "rules[0].value: is required",
		"rules: [" + strings.Repeat("{claim: c},", 201) + "]": "rules: must be at most 200, got 201",
	} {
		err := load(t, "access: {oidc: {"+text+"}}", Sources{}).Err()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) ||
			err != nil && strings.Contains(err.Error(), "s3c") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
