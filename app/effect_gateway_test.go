package app_test

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

	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/certs/certstest"
	"nhip/internal/config"
	"nhip/internal/fleet"

	"github.com/coder/websocket"
)

// startGateway starts a gateway alone. Unless yaml has them, it gets an upstream that does not exist and a free port.
func startGateway(t *testing.T, yaml string) *apptest.Platform {
	t.Helper()
	if !strings.Contains(yaml, "broker:") {
		yaml = "broker: {url: 'tcp://127.0.0.1:1'}\n" + yaml
	}
	if !strings.Contains(yaml, "mqtt:") {
		yaml += "\nmqtt: {listen: 127.0.0.1:0}"
	}
	return apptest.Start(t, app.Gateway, app.Options{DataDir: t.TempDir(), Config: apptest.LoadConfig(t, yaml)})
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

// fleetFile writes a fleet file under a name that is not the default one.
func fleetFile(t *testing.T, text string) string {
	t.Helper()
	return apptest.WriteFile(t, "the-fleet.yaml", text)
}

// oneDevice returns the path of a fleet with a device "probe", whose secret is "s", and further keys of the device.
func oneDevice(t *testing.T, more string) string {
	t.Helper()
	return fleetFile(t, fmt.Sprintf("devices: [{id: probe, secrets: [%s], %s}]", fleet.Digest("s"), more))
}

// checkGateway checks the keys of the listeners for devices, on gateways that run alone.
func checkGateway(t *testing.T, checked effects) {
	t.Helper()
	checkFleet(t, checked)
	checkTLS(t, checked)
	checkLimits(t, checked)
	checkIntakes(t, checked)
	checkPlain(t, checked)
	checkForward(t, checked)
}

// checkForward fills the journal of a gateway without an upstream, and reserves more of the disk than there is.
func checkForward(t *testing.T, checked effects) {
	t.Helper()
	for key, yaml := range map[string]string{
		"forward.journal_bytes": "{journal_bytes: 64MB}", "forward.min_free": "{min_free: 900TB}",
	} {
		p := startGateway(t, fmt.Sprintf("fleet: %q\nforward: %s", oneDevice(t, "feed: position, rate: 100000"), yaml))
		big := strings.NewReader(strings.Repeat("x", 60_000))
		full := false
		for range 2_000 {
			_, _ = big.Seek(0, io.SeekStart)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Push+"/in/position/probe", big)
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
		checked.check(t, key, full)
	}
}

func checkFleet(t *testing.T, checked effects) {
	t.Helper()
	p := startGateway(t, fmt.Sprintf(`
fleet: %q
push: {listen: "127.0.0.2:0"}
feeds: [{name: my feed, topic: devices/+, format: position, agency: a}]
`, oneDevice(t, "feed: my feed")))
	checked.check(t, "push.listen", strings.HasPrefix(p.Push, "http://127.0.0.2:"))
	device, _ := p.ConnectDevice(t, "probe", "s")
	token := device.Publish("devices/probe", 1, false, []byte("{}"))
	ok := token.WaitTimeout(awaittest.Timeout) && token.Error() == nil
	checked.check(t, "fleet", ok)
	checked.check(t, "feeds[].name", ok)
}

func checkTLS(t *testing.T, checked effects) {
	t.Helper()
	dir := t.TempDir()
	city, devices := certstest.New(t, "city"), certstest.New(t, "devices")
	for _, listener := range []string{"mqtt", "http"} {
		certstest.WritePair(t, city.Issue(listener, time.Now().Add(time.Hour)),
			filepath.Join(dir, listener+".pem"), filepath.Join(dir, listener+".key"))
	}
	good, revoked := devices.Issue("good", time.Now().Add(time.Hour)), devices.Issue("revoked", time.Now().Add(time.Hour))
	devices.Write(filepath.Join(dir, "ca.pem"))
	city.Write(filepath.Join(dir, "city-ca.pem"))
	devices.WriteRevoked(filepath.Join(dir, "crl.pem"), revoked)
	p := startGateway(t, fmt.Sprintf(`
fleet: %q
mqtt:
  listen: 127.0.0.1:0
  tls: {cert: %[2]s/mqtt.pem, key: %[2]s/mqtt.key, client_ca: %[2]s/ca.pem, crl: %[2]s/crl.pem}
http: {tls: {cert: %[2]s/http.pem, key: %[2]s/http.key}}
`, fleetFile(t, "devices: [{id: good, feed: position}, {id: revoked, feed: position}]"), dir))
	connect := func(c tls.Certificate, id string) error {
		return connectTLS(strings.TrimPrefix(p.MQTT, "ssl://"), &tls.Config{
			RootCAs: city.Pool(), Certificates: []tls.Certificate{c},
		}, id)
	}
	err := connect(good, "good")
	for _, key := range []string{"mqtt.tls.cert", "mqtt.tls.key", "mqtt.tls.client_ca"} {
		checked.check(t, key, err == nil)
	}
	if err != nil {
		t.Log(err)
	}
	checked.check(t, "mqtt.tls.crl", connect(revoked, "revoked") != nil)
	if connect(good, "revoked") == nil {
		t.Error("a device is accepted with the certificate of another")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: city.Pool()}}}
	resp, err := client.Post(p.Push+"/in/position/good", "", nil)
	if err == nil {
		_ = resp.Body.Close()
	}
	for _, key := range []string{"http.tls.cert", "http.tls.key"} {
		checked.check(t, key,
			err == nil && resp.StatusCode == http.StatusUnauthorized && strings.HasPrefix(p.Push, "https://"))
	}
	downstream := startGateway(t, fmt.Sprintf("broker: {url: %q, ca: %s, username: x}",
		p.MQTT, filepath.Join(dir, "city-ca.pem")))
	awaittest.True(t, "a gateway reaches its upstream over TLS", func() bool {
		return strings.Contains(metrics(t, p.Health), `nhip_gateway_refused_total{reason="credentials"}`)
	})
	checked.check(t, "broker.ca", downstream.Broker == p.MQTT)
	checkPublicTLS(t, checked, dir, city)
}

// checkPublicTLS logs a guest in over TLS, and two behind a proxy, of which each has the share of its own address.
func checkPublicTLS(t *testing.T, checked effects, dir string, city *certstest.Authority) {
	t.Helper()
	p := apptest.StartNow(t, app.Up, apptest.Options(t, t.TempDir(), fmt.Sprintf(`
influx: {url: "http://127.0.0.1:1"}
http: {tls: {cert: %[1]s/http.pem, key: %[1]s/http.key}, trusted_proxies: [127.0.0.0/8]}
mqtt: {listen: 127.0.0.1:0, limits: {per_address: 1}}
public: {listen: 127.0.0.1:0, mqtts: 127.0.0.1:0, anonymous: true}
`, dir)))
	roots := &tls.Config{RootCAs: city.Pool()}
	err := connectTLS(strings.TrimPrefix(p.PublicMQTTS, "ssl://"), roots, "guest")
	checked.check(t, "public.mqtts", err == nil)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: roots}}
	for _, c := range []struct {
		address string
		want    bool
	}{{"203.0.113.1", true}, {"203.0.113.2", true}, {"203.0.113.1", false}} {
		ws, _, err := websocket.Dial(t.Context(), p.Public, &websocket.DialOptions{
			HTTPClient: client, HTTPHeader: http.Header{"X-Forwarded-For": {c.address}},
		})
		if (err == nil) != c.want {
			t.Errorf("a guest from %s behind a trusted proxy: %v", c.address, err)
		}
		if err == nil {
			t.Cleanup(func() { _ = ws.CloseNow() })
		}
	}
}

// connectTLS connects a device over TLS; the error is nil if the broker accepts it.
func connectTLS(address string, c *tls.Config, id string) error {
	conn, err := tls.Dial("tcp", address, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	connect := append([]byte{
		0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, byte(len(id)),
	}, id...)
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

// checkLimits exceeds each limit, one at a time.
func checkLimits(t *testing.T, checked effects) {
	t.Helper()
	path := oneDevice(t, "feed: position")
	for key, class := range map[string]string{
		"connections": "connections", "per_address": "address", "connect_rate": "connect_rate",
		"message_rate": "message_rate", "byte_rate": "byte_rate",
	} {
		limit, size := 3, 10
		if key == "byte_rate" {
			limit, size = 2_000, 60_000
		}
		p := startGateway(t, fmt.Sprintf("fleet: %q\nmqtt: {listen: 127.0.0.1:0, limits: {%s: %d}}", path, key, limit))
		if strings.HasSuffix(key, "_rate") && key != "connect_rate" {
			device, _ := p.ConnectDevice(t, "probe", "s")
			for range 20 {
				device.Publish("nhip/in/position/probe", 0, false, make([]byte, size))
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
		awaittest.True(t, key+" has an effect", func() bool { return strings.Contains(metrics(t, p.Health), line) })
		checked.check(t, "mqtt.limits."+key, true)
	}
}

func checkIntakes(t *testing.T, checked effects) {
	t.Helper()
	requests, key := make(chan struct{}, 100), "s3cret"
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") == key {
			_, _ = w.Write([]byte("not empty"))
			requests <- struct{}{}
		}
	}))
	defer feed.Close()
	root := t.TempDir()
	p := startGateway(t, fmt.Sprintf(
		"files: {root: %q}\npulls: [{name: probe, url: %q, every: 1s, header: 'X-Api-Key: s3cret'}]", root, feed.URL))
	const name = "HN_A_20260216225500.txt"
	if err := os.WriteFile(filepath.Join(root, name), []byte("PM10 61.52 ug/m3 20260216225500 00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	<-requests
	<-requests
	awaittest.True(t, "the feed is forwarded", func() bool {
		return strings.Contains(metrics(t, p.Health), `nhip_gateway_pulls_total{feed="probe",outcome="fresh"} 1`)
	})
	awaittest.True(t, "the file is processed", func() bool {
		_, err := os.Stat(filepath.Join(root, "failed", name+".error")) // its readings are too old by now
		_, done := os.Stat(filepath.Join(root, "done", name))
		return err == nil || done == nil
	})
	checked.check(t, "files.root", true)
	checked.check(t, "outgoing.allow", true) // the feed is on this machine; apptest allows it
	checkProxy(t, checked)
}

// checkProxy polls a feed through a proxy.
func checkProxy(t *testing.T, checked effects) {
	t.Helper()
	asked := make(chan string, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.String() }))
	defer proxy.Close()
	startGateway(t, fmt.Sprintf(
		"outgoing: {proxy: %q}\npulls: [{name: probe, url: 'http://feed.example/vp.pb', every: 1s}]", proxy.URL))
	checked.check(t, "outgoing.proxy", <-asked == "http://feed.example/vp.pb")
}

func checkPlain(t *testing.T, checked effects) {
	t.Helper()
	load := func(yaml string) error {
		return app.LoadConfig(config.Sources{Path: apptest.WriteFile(t, "nhip.yaml", yaml)}).Err()
	}
	for _, listener := range []string{"http", "mqtt"} {
		err := load(listener + ": {listen: 0.0.0.0:0}")
		if err == nil ||
			!strings.Contains(err.Error(), listener+".listen: is reached from other machines and would be plain") {
			t.Errorf("plain listener for other machines: %v", err)
		}
		checked.check(t, listener+".plain", load(listener+": {listen: 0.0.0.0:0, plain: true}") == nil)
	}
}
