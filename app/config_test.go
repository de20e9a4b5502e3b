package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/app"
	"nhip/internal/config"
)

// loadFile loads a configuration from a text and an environment, and returns its faults.
func loadFile(t *testing.T, text string, environ ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nhip.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := app.LoadConfig(config.Sources{Path: path, Environ: environ}).Err(); err != nil {
		return err.Error()
	}
	return ""
}

// TestRolesShareAnEnvironment: credentials that only some roles need stand in the environment of all. In a file, a
// credential without the address that it is for is still a fault.
func TestRolesShareAnEnvironment(t *testing.T) {
	all := []string{
		"NHIP_INFLUX_TOKEN=t", "NHIP_INFLUX_ORG=city", "NHIP_BROKER_USERNAME=u", "NHIP_BROKER_PASSWORD=p",
		"NHIP_BROKER_CA=ca.pem", "NHIP_AIR_WEBHOOK_SECRET=s", "NHIP_AIR_MAIL_USERNAME=u", "NHIP_AIR_MAIL_PASSWORD=p",
		"NHIP_ACCESS_OIDC_CLIENT_SECRET=s",
	}
	if faults := loadFile(t, "", all...); faults != "" {
		t.Errorf("a shared environment is refused: %s", faults)
	}
	for _, pair := range all {
		if faults := loadFile(t, "", pair); faults != "" {
			t.Errorf("%s alone is refused: %s", pair, faults)
		}
	}
	for key, text := range map[string]string{
		"influx.token": "influx: {token: t}", "influx.org": "influx: {org: city}",
		"broker.password": "broker: {password: p}", "air.webhook.secret": "air: {webhook: {secret: s}}",
		"air.mail.password": "air: {mail: {password: p}}",
	} {
		if faults := loadFile(t, text, all[0]); key != "influx.token" && !strings.Contains(faults, key+": has no effect") {
			t.Errorf("%s in a file without its address: %q", key, faults)
		}
		if faults := loadFile(t, text); !strings.Contains(faults, key+": has no effect") {
			t.Errorf("%s in a file without its address: %q", key, faults)
		}
	}
	// Paths of a pair belong together wherever they stand, and an unknown variable is a typo.
	for environ, want := range map[string]string{
		"NHIP_HTTP_TLS_CERT=api.pem": "http.tls.cert: has no effect without http.tls.key",
		"NHIP_INFLUX_TOKNE=t":        "NHIP_INFLUX_TOKNE: sets no key",
	} {
		if faults := loadFile(t, "", environ); !strings.Contains(faults, want) {
			t.Errorf("%s: %q", environ, faults)
		}
	}
}

// TestConfigOfMail: a mail server may be there for scheduled reports only, whose recipients stand in each schedule.
func TestConfigOfMail(t *testing.T) {
	for text, want := range map[string]string{
		"air: {mail: {host: mail.example, from: a@b.example}}":                    "",
		"air: {mail: {host: mail.example, from: a@b.example, to: [c@d.example]}}": "",
		"air: {mail: {host: mail.example}}":                                       "air.mail.host: has no effect without air.mail.from",
		"air: {mail: {to: [c@d.example]}}":                                        "air.mail.to: has no effect without air.mail.host",
	} {
		if faults := loadFile(t, text); (want == "") != (faults == "") || !strings.Contains(faults, want) {
			t.Errorf("%q: faults %q, want %q", text, faults, want)
		}
	}
}

func TestConfigOfPublicListeners(t *testing.T) {
	const tls = "http: {tls: {cert: a.pem, key: a.key}}\n"
	for text, want := range map[string]string{
		"public: {mqtt: '127.0.0.1:1884'}":                            "",
		"public: {mqtt: ':1884', anonymous: true}":                    "",
		"public: {mqtt: ':1884'}":                                     "public.mqtt: is reached from other machines",
		"http: {plain: true}\npublic: {mqtt: ':1884'}":                "",
		tls + "public: {mqtt: ':1884'}":                               "public.mqtt: is reached from other machines",
		"public: {mqtts: '127.0.0.1:8884'}":                           "public.mqtts: needs the certificate of http.tls",
		tls + "public: {mqtts: ':8884'}":                              "",
		tls + "public: {mqtts: ':8884', mqtt: ':1', anonymous: true}": "",
		"public: {anonymous: true}":                                   "without public.listen, public.mqtt or public.mqtts",
		"public: {mqtt: nowhere}":                                     "public.mqtt: must be host:port",
		"public: {mqtts: ':99999'}":                                   "public.mqtts: the port must be",
		"public: {mqt: ':1884'}":                                      "mqt: ",
	} {
		if faults := loadFile(t, text); (want == "") != (faults == "") || !strings.Contains(faults, want) {
			t.Errorf("%q: faults %q, want %q", text, faults, want)
		}
	}
}

func TestConfigOfIssuer(t *testing.T) {
	const (
		issuer = "issuer: 'https://id.example', "
		client = issuer + "client_id: nhip, client_secret: s3cret, "
		rules  = "rules: [{claim: groups, value: air, role: viewer}]"
	)
	many := func(from int) string {
		names := make([]string, 150)
		for i := range names {
			names[i] = fmt.Sprint("s", from+i)
		}
		return "{claim: a, value: b, role: viewer, stations: [" + strings.Join(names, ", ") + "]}"
	}
	const file = "client_id: nhip, client_secret_file: f, "
	const noIssuer = "has no effect without access.oidc.issuer"
	for text, want := range map[string]string{
		client + rules:                       "",
		client:                               "access.oidc.issuer: needs access.oidc.rules",
		issuer + file + rules:                "",
		issuer + "client_id: nhip, " + rules: "access.oidc.issuer: needs either access.oidc.client_secret or",

		client + "client_secret_file: f, " + rules: "needs either access.oidc.client_secret or",
		issuer + "client_secret: s, " + rules:      "access.oidc.issuer: needs access.oidc.client_id",
		rules:                                      "access.oidc.rules[0].claim: " + noIssuer,
		"client_secret: s":                         "access.oidc.client_secret: " + noIssuer,
		"redirect: 'https://a.example/b'":          "access.oidc.redirect: " + noIssuer,

		client + "rules: [" + many(0) + ", " + many(100) + "]": "rules[1].stations: with those of the other",
	} {
		faults := loadFile(t, "access: {oidc: {"+text+"}}")
		if (want == "") != (faults == "") || !strings.Contains(faults, want) {
			t.Errorf("%q: faults %q, want %q", text, faults, want)
		}
	}
}
