package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/certs/certstest"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
)

// edgeGateway runs a gateway alone, whose upstream is nowhere.
func edgeGateway(t *testing.T, yaml string) (*running, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	if !strings.Contains(yaml, "broker:") {
		yaml = "broker: {url: 'tcp://127.0.0.1:1'}\n" + yaml
	}
	if !strings.Contains(yaml, "mqtt:") {
		yaml += "\nmqtt: {listen: 127.0.0.1:0}"
	}
	p, at := launch(t, dir, "gateway", "--data-dir", dir, "--config", writeYAML(t, yaml))
	p.Addresses = datadir.Addresses{MQTT: at["mqtt"]}
	return p, at
}

func metrics(t *testing.T, health string) string {
	t.Helper()
	resp, err := http.Get(health + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fleetOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "the-fleet.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// seeGateway shows the keys of the devices' doors in gateways that run alone.
func seeGateway(t *testing.T, seen effects) {
	t.Helper()
	seeFleet(t, seen)
	seeTLS(t, seen)
	seeLimits(t, seen)
	seeOtherIntakes(t, seen)
	seePlain(t, seen)
	seeForward(t, seen)
}

// seeForward fills what a gateway without a line may keep, and leaves more of the disk alone than there is.
func seeForward(t *testing.T, seen effects) {
	t.Helper()
	for key, yaml := range map[string]string{
		"forward.journal_bytes": "{journal_bytes: 64MB}", "forward.min_free": "{min_free: 900TB}",
	} {
		_, at := edgeGateway(t, fmt.Sprintf("fleet: %q\nforward: %s", fleetOf(t, fmt.Sprintf("devices: [{id: box, feed: position, rate: 100000, secrets: [%s]}]", fleet.Digest("s"))), yaml))
		big := strings.NewReader(strings.Repeat("x", 60_000))
		full := false
		for range 2_000 {
			_, _ = big.Seek(0, io.SeekStart)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at["push"]+"/in/position/box", big)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer s")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if full = resp.StatusCode == http.StatusServiceUnavailable; full {
				break
			}
		}
		seen.see(t, key, full)
	}
}

func seeFleet(t *testing.T, seen effects) {
	t.Helper()
	path := fleetOf(t, fmt.Sprintf("devices: [{id: box, feed: my boxes, secrets: [%s]}]", fleet.Digest("s")))
	p, at := edgeGateway(t, fmt.Sprintf(`
fleet: %q
push: {listen: "127.0.0.2:0"}
feeds: [{name: my boxes, topic: boxes/+, format: position, agency: a}]
`, path))
	seen.see(t, "push.listen", strings.HasPrefix(at["push"], "http://127.0.0.2:"))
	box, _ := p.asDevice(t, "box", "s")
	tok := box.Publish("boxes/box", 1, false, []byte("{}"))
	ok := tok.WaitTimeout(waitFor) && tok.Error() == nil
	seen.see(t, "fleet", ok)
	seen.see(t, "feeds[].name", ok)
}

func seeTLS(t *testing.T, seen effects) {
	t.Helper()
	dir := t.TempDir()
	city, devices := certstest.New(t, "city"), certstest.New(t, "devices")
	for _, door := range []string{"mqtt", "http"} {
		certstest.WritePair(t, city.Issue(door, time.Now().Add(time.Hour)), filepath.Join(dir, door+".pem"), filepath.Join(dir, door+".key"))
	}
	good, taken := devices.Issue("good", time.Now().Add(time.Hour)), devices.Issue("taken", time.Now().Add(time.Hour))
	devices.Write(filepath.Join(dir, "ca.pem"))
	city.Write(filepath.Join(dir, "city-ca.pem"))
	devices.WriteRevoked(filepath.Join(dir, "crl.pem"), taken)
	t.Chdir(dir)
	_, at := edgeGateway(t, fmt.Sprintf(`
fleet: %q
mqtt: {listen: "127.0.0.1:0", tls: {cert: %[2]s/mqtt.pem, key: %[2]s/mqtt.key, client_ca: %[2]s/ca.pem, crl: %[2]s/crl.pem}}
http: {tls: {cert: %[2]s/http.pem, key: %[2]s/http.key}}
`, fleetOf(t, "devices: [{id: good, feed: position}, {id: taken, feed: position}]"), dir))
	enter := func(c tls.Certificate, name string) error {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(at["mqtt"], "ssl://"), &tls.Config{RootCAs: city.Pool(), Certificates: []tls.Certificate{c}})
		if err != nil {
			return err
		}
		defer conn.Close()
		connect := append([]byte{0x10, byte(12 + len(name)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, byte(len(name))}, name...)
		if _, err := conn.Write(connect); err != nil {
			return err
		}
		answer := make([]byte, 4)
		if _, err := io.ReadFull(conn, answer); err != nil {
			return err
		}
		if !bytes.Equal(answer, []byte{0x20, 2, 0, 0}) {
			return fmt.Errorf("answered with %x", answer)
		}
		return nil
	}
	err := enter(good, "good")
	for _, key := range []string{"mqtt.tls.cert", "mqtt.tls.key", "mqtt.tls.client_ca"} {
		seen.see(t, key, err == nil)
	}
	if err != nil {
		t.Log(err)
	}
	seen.see(t, "mqtt.tls.crl", enter(taken, "taken") != nil)
	if enter(good, "taken") == nil {
		t.Error("a certificate opens for another device")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: city.Pool()}}}
	resp, err := client.Post(at["push"]+"/in/position/good", "", nil)
	if err == nil {
		_ = resp.Body.Close()
	}
	_, up := edgeGateway(t, fmt.Sprintf("broker: {url: %q, ca: %s, username: x}", at["mqtt"], filepath.Join(dir, "city-ca.pem")))
	await.True(t, "a gateway reaches its upstream over TLS", func() bool {
		return strings.Contains(metrics(t, at["health"]), `nhip_gateway_refused_total{reason="credentials"}`)
	})
	seen.see(t, "broker.ca", up["upstream"] == at["mqtt"])
	for _, key := range []string{"http.tls.cert", "http.tls.key"} {
		seen.see(t, key, err == nil && resp.StatusCode == http.StatusUnauthorized && strings.HasPrefix(at["push"], "https://"))
	}
}

// seeLimits runs into each limit, one at a time.
func seeLimits(t *testing.T, seen effects) {
	t.Helper()
	path := fleetOf(t, fmt.Sprintf("devices: [{id: box, feed: position, secrets: [%s]}]", fleet.Digest("s")))
	for key, class := range map[string]string{
		"connections": "connections", "per_address": "address", "connect_rate": "connect_rate",
		"message_rate": "message_rate", "byte_rate": "byte_rate",
	} {
		limit, size := 3, 10
		if key == "byte_rate" {
			limit, size = 2_000, 60_000
		}
		p, at := edgeGateway(t, fmt.Sprintf("fleet: %q\nmqtt: {listen: 127.0.0.1:0, limits: {%s: %d}}", path, key, limit))
		if strings.HasSuffix(key, "_rate") && key != "connect_rate" {
			box, _ := p.asDevice(t, "box", "s")
			for range 20 {
				box.Publish("nhip/in/position/box", 0, false, make([]byte, size))
			}
		} else {
			for range 20 {
				conn, err := net.Dial("tcp", strings.TrimPrefix(p.MQTT, "tcp://"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close() })
			}
		}
		line := fmt.Sprintf("nhip_gateway_limited_total{class=%q}", class)
		await.True(t, key+" has an effect", func() bool { return strings.Contains(metrics(t, at["health"]), line) })
		seen.see(t, "mqtt.limits."+key, true)
	}
}

func seeOtherIntakes(t *testing.T, seen effects) {
	t.Helper()
	asked, allowed := make(chan struct{}, 100), "s3cret"
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") == allowed {
			_, _ = w.Write([]byte("not empty"))
			asked <- struct{}{}
		}
	}))
	defer feed.Close()
	root := t.TempDir()
	_, at := edgeGateway(t, fmt.Sprintf("files: {root: %q}\npulls: [{name: probe, url: %q, every: 1s, header: 'X-Api-Key: s3cret'}]", root, feed.URL))
	if err := os.WriteFile(filepath.Join(root, "HN_A_20260216225500.txt"), []byte("PM10 61.52 ug/m3 20260216225500 00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	<-asked
	<-asked
	await.True(t, "the feed is carried on", func() bool {
		return strings.Contains(metrics(t, at["health"]), `nhip_gateway_pulls_total{feed="probe",outcome="fresh"} 1`)
	})
	await.True(t, "the file is done", func() bool {
		_, err := os.Stat(filepath.Join(root, "failed", "HN_A_20260216225500.txt.error")) // it is too old by now
		_, done := os.Stat(filepath.Join(root, "done", "HN_A_20260216225500.txt"))
		return err == nil || done == nil
	})
	seen.see(t, "files.root", true)
}

func seePlain(t *testing.T, seen effects) {
	t.Helper()
	check := func(yaml string) (int, string) {
		var stdout, stderr bytes.Buffer
		code := execute(t.Context(), []string{"check", "--data-dir", t.TempDir(), writeYAML(t, yaml)}, &stdout, &stderr)
		return code, stderr.String()
	}
	for _, door := range []string{"http", "mqtt"} {
		code, told := check(door + ": {listen: 0.0.0.0:0}")
		if code != 1 || !strings.Contains(told, door+".listen: is reached from other machines and would be plain") {
			t.Errorf("a plain door to the street: exit %d, %s", code, told)
		}
		code, told = check(door + ": {listen: 0.0.0.0:0, plain: true}")
		seen.see(t, door+".plain", code == 0 && told == "")
	}
}
