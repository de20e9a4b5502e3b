package app_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"nhip/api/quota"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/config"
	"nhip/internal/influx/influxtest"
	"nhip/internal/openid/openidtest"
)

// checkHTTP checks the keys of the HTTP server: the limits of connections and bodies on the push server of gateways,
// the others on all roles.
func checkHTTP(t *testing.T, checked effects) {
	t.Helper()
	for key, reason := range map[string]string{
		"connections": "connections", "per_address": "address", "bodies": "bodies",
	} {
		p := startGateway(t, fmt.Sprintf("http: {limits: {%s: 2}}", key))
		for range 4 {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.Push, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			_, _ = io.WriteString(conn, "POST /in/position/probe HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s\r\n"+
				"Content-Length: 9\r\n\r\n")
		}
		if key == "bodies" { // a request whose secret is wrong reads no body: these are of the operator
			for range 4 {
				openBody(t, p)
			}
		}
		line := fmt.Sprintf("nhip_http_refused_total{reason=%q,server=\"push\"}", reason)
		awaittest.True(t, key+" has an effect", func() bool { return strings.Contains(metrics(t, p.Health), line) })
		checked.check(t, "http.limits."+key, true)
	}
	checkMetricsKey(t, checked)
}

// checkRates asks for more than the rates of clients allow.
func checkRates(t *testing.T, checked effects, p *apptest.Platform) {
	t.Helper()
	var first, last *http.Response
	for range 2*quota.Seconds + 50 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+"/openapi.yaml", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "203.0.113.99:4711") // of a client behind the proxy
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if last = resp; first == nil {
			first = resp
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			break
		}
	}
	checked.check(t, "http.limits.client_rate", first.Header.Get("RateLimit-Policy") == `"client";q=60;w=30` &&
		last.StatusCode == http.StatusTooManyRequests)
	text := metrics(t, p.Health)
	checked.check(t, "http.limits.key_rate", strings.Contains(text, `nhip_api_rate_limit_units{of="key"} 123`))
	const spare = `nhip_api_rate_limit_total{class="cheap",outcome="spare"} `
	checked.check(t, "http.limits.spare_rate", strings.Contains(text, spare) && !strings.Contains(text, spare+"0"))
}

// checkLicense reads the license of the data.
func checkLicense(t *testing.T, checked effects, p *apptest.Platform) {
	t.Helper()
	a := p.API(t).Get(t, "/v1/datasets")
	body := string(a.Body)
	checked.check(t, "data.license", strings.Contains(body, `"license":"ODbL-1.0"`))
	checked.check(t, "data.source", strings.Contains(body, `"source":"probed"`))
	checked.check(t, "data.license_url", strings.Contains(body, `"license_url":"https://probe.example/license"`))
}

// openBody sends the head of an operator's push, and a part of its body.
func openBody(t *testing.T, p *apptest.Platform) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.Push, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	fmt.Fprintf(conn, "POST /in/position/probe HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Length: 9\r\n\r\n{", p.Token(t))
}

// checkMetricsKey checks who may read the metrics, and what is believed of the header of a trusted proxy.
func checkMetricsKey(t *testing.T, checked effects) {
	t.Helper()
	status := func(p *apptest.Platform, path string, header ...string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	database := influxtest.Server(t)
	start := func(yaml string, flags ...config.Flag) *apptest.Platform {
		return apptest.Start(t, app.Up, app.Options{DataDir: t.TempDir(), Config: apptest.LoadConfig(t, fmt.Sprintf(
			"http: {listen: 127.0.0.1:0, %s}\nmqtt: {listen: 127.0.0.1:0}\ninflux: {url: %q, token: %q}",
			yaml, database.URL(), database.Token()), flags...)})
	}
	rate := config.Flag{Name: "--client-rate", Key: "http.limits.client_rate", Value: "2"}
	p := start("trusted_proxies: [127.0.0.0/8], limits: {history: 7, key_rate: 123, spare_rate: 3}}\n"+
		"data: {license: ODbL-1.0, license_url: 'https://probe.example/license', source: probed", rate)
	checkRates(t, checked, p)
	checkLicense(t, checked, p)
	if got := status(p, "/metrics"); got != http.StatusUnauthorized {
		t.Errorf("/metrics without a token: %d", got)
	}
	if got := status(p, "/metrics", "Authorization", "Bearer "+p.Token(t)); got != http.StatusOK {
		t.Errorf("/metrics with the token: %d", got)
	}
	text := metrics(t, p.Health)
	checked.check(t, "http.limits.history", strings.Contains(text, "\nnhip_api_history_per_address 7\n"))
	for range 30 { // of one client, behind the proxy
		status(p, "/v1/ledger", "Authorization", "Bearer wrong", "X-Forwarded-For", "203.0.113.7")
	}
	guesser := status(p, "/v1/ledger", "Authorization", "Bearer wrong", "X-Forwarded-For", "6.6.6.6, 203.0.113.7")
	other := status(p, "/v1/ledger", "Authorization", "Bearer wrong", "X-Forwarded-For", "203.0.113.8")
	checked.check(t, "http.trusted_proxies",
		guesser == http.StatusTooManyRequests && other == http.StatusUnauthorized)
	issuer := openidtest.Start(t)
	secret := issuerYAML(issuer, fmt.Sprintf("client_secret: %q, rules: [{claim: sub, value: '7', role: viewer}]",
		openidtest.ClientSecret))
	public := start("metrics: public}" + strings.TrimSuffix(secret, "}\n"))
	checked.check(t, "http.metrics", status(public, "/metrics") == http.StatusOK)
	issuer.Say(openidtest.Answers{Claims: map[string]any{"sub": "7"}})
	_, state, back := goToIssuer(t, public.API(t), "/")
	signedIn := public.API(t).Get(t, back, "Cookie", state)
	checked.check(t, "access.oidc.client_secret", signedIn.Status == http.StatusSeeOther)
}
