// Package apptest runs the platform in a test: all roles or one of them, in the test's own process.
package apptest

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/app"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/health"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/publish"
)

// The longest that a role may take to start and to stop on a busy machine: a database alone needs 3 s of CPU to
// start.
const (
	startWithin = 2 * time.Minute
	stopWithin  = time.Minute
)

// Platform describes a running platform, in this process (Up, Start) or in another.
type Platform struct {
	app.Addresses
	Dir string // the data folder, which has the operator's token

	stop func(context.Context) error // nil: it has stopped, or runs in another process
}

// LoadConfig loads a configuration file with the given text and, over it, flags. A fault ends the test.
func LoadConfig(t testing.TB, yaml string, flags ...config.Flag) *config.Config {
	t.Helper()
	// Servers of tests are on this machine, and a test asks again and again until its condition holds.
	environ := []string{"NHIP_OUTGOING_ALLOW=127.0.0.0/8", "NHIP_HTTP_LIMITS_CLIENT_RATE=0"}
	set := app.LoadConfig(config.Sources{Path: WriteFile(t, "nhip.yaml", yaml), Flags: flags, Environ: environ})
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return &set.Config
}

// Options returns the options of a role on a data folder, with a configuration file's text. Every listener is on a
// free port of this machine.
func Options(t testing.TB, dir, yaml string) app.Options {
	t.Helper()
	return app.Options{
		Config: LoadConfig(t, yaml,
			config.Flag{Name: "--http", Key: "http.listen", Value: "127.0.0.1:0"},
			config.Flag{Name: "--mqtt", Key: "mqtt.listen", Value: "127.0.0.1:0"}),
		DataDir: dir, Logger: influxtest.Logger(t),
	}
}

// Up runs all roles on a data folder until the test ends. It skips the test if the embedded database is not built.
func Up(t testing.TB, dir, yaml string) *Platform {
	t.Helper()
	return Start(t, app.Up, Options(t, dir, yaml))
}

// Start runs a role until the test ends, and waits until it has its database. It skips the test if the embedded
// database is not built.
func Start(t testing.TB, role func(app.Options) *app.Role, o app.Options) *Platform {
	t.Helper()
	o.Influxd = influxtest.Binary(t)
	p := StartNow(t, role, onOutsideDatabase(t, o))
	for _, url := range []string{p.HTTP, p.Health} {
		AwaitHistory(t, url)
	}
	return p
}

// onOutsideDatabase returns o with the InfluxDB outside, if there is one, in place of the embedded one.
func onOutsideDatabase(t testing.TB, o app.Options) app.Options {
	t.Helper()
	if o.Config != nil && (o.Config.Influx.URL != "" || o.Config.Influx.Listen != "") {
		return o
	}
	database, ok := influxtest.ForFolder(t, o.DataDir)
	if !ok {
		return o
	}
	conf := config.Default()
	if o.Config != nil {
		conf = *o.Config
	}
	at := database.Options(t, influxtest.FolderBucket)
	conf.Influx.URL, conf.Influx.Token, conf.Influx.Org, conf.Influx.Bucket = at.URL, at.Token, at.Org, at.Bucket
	o.Config = &conf
	return o
}

// Database returns the database of the roles on the platform's data folder, embedded or outside.
func (p *Platform) Database(t testing.TB) *influxtest.Instance {
	t.Helper()
	if outside, ok := influxtest.ForFolder(t, p.Dir); ok {
		return outside
	}
	token, err := os.ReadFile(filepath.Join(p.Dir, "influx.auth"))
	if err != nil {
		t.Fatal(err)
	}
	return influxtest.EmbeddedAt(p.Influx, strings.TrimSpace(string(token)))
}

// AwaitHistory waits until the role at a plain URL has its database. It does nothing for another URL.
func AwaitHistory(t testing.TB, url string) {
	t.Helper()
	if !strings.HasPrefix(url, "http://") {
		return
	}
	for deadline := time.Now().Add(startWithin); slices.Contains(Degraded(t, url), "history"); {
		if time.Now().After(deadline) {
			t.Fatal("the database is not open")
		}
		time.Sleep(readyPoll)
	}
}

// readyPoll is the interval of requests for readiness.
const readyPoll = 20 * time.Millisecond

// Degraded returns the parts that are missing according to /readyz of a role.
func Degraded(t testing.TB, url string) []string {
	t.Helper()
	resp, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state health.State
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	return append(state.Degraded, state.Waiting...)
}

// StartNow is Start with the database program that o names, and returns as soon as the role has started.
func StartNow(t testing.TB, role func(app.Options) *app.Role, o app.Options) *Platform {
	t.Helper()
	r := role(o)
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	if err := r.Start(ctx); err != nil {
		t.Fatal(err)
	}
	p := &Platform{Addresses: r.Addresses(), Dir: o.DataDir, stop: r.Stop}
	t.Cleanup(func() { p.Stop(t) })
	return p
}

// Stop stops the role, unless it has stopped already.
func (p *Platform) Stop(t testing.TB) {
	t.Helper()
	if p.stop == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := p.stop(ctx); err != nil {
		t.Errorf("stopping: %v", err)
	}
	p.stop = nil
}

// Token returns the operator's token.
func (p *Platform) Token(t testing.TB) string {
	t.Helper()
	token, err := datadir.ReadToken(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// API returns a client that checks each request and answer against the API's contract. It has the operator's token,
// if there is one, for the metrics only.
func (p *Platform) API(t testing.TB) *apitest.Client {
	t.Helper()
	c := apitest.New(t, p.HTTP)
	if token, err := datadir.ReadToken(p.Dir); err == nil {
		c.Token = token
	}
	return c
}

// Client returns a client of the API with the operator's token. It checks each request and answer against the API's
// contract.
func (p *Platform) Client(t testing.TB) *client.Client {
	t.Helper()
	c, err := client.New(p.HTTP, p.Token(t))
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP = &http.Client{Transport: contract{t, p.API(t)}}
	return c
}

// Operator returns the options of an MQTT connection as the operator.
func (p *Platform) Operator(t testing.TB, clientID string) mqtt.Options {
	t.Helper()
	return mqtt.Options{URL: p.MQTT, ClientID: clientID, Username: "operator", Password: p.Token(t)}
}

// Publish publishes messages as the operator and returns when all are acknowledged.
func (p *Platform) Publish(t testing.TB, messages ...Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	publisher, err := publish.Dial(ctx, publish.Options{
		Options: p.Operator(t, "test-publisher"), Connections: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := publisher.Publish(ctx, m.Topic, []byte(m.Payload)); err != nil {
			t.Fatal(err)
		}
	}
	if err := publisher.Close(ctx); err != nil {
		t.Fatalf("not acknowledged: %v", err)
	}
}

// ConnectDevice connects a device until the test ends; lost receives a value for each loss of the connection.
func (p *Platform) ConnectDevice(t testing.TB, id, secret string) (device *mqtt.Client, lost <-chan struct{}) {
	t.Helper()
	losses := make(chan struct{}, 8)
	device, err := mqtt.Dial(t.Context(), mqtt.Options{
		URL: p.MQTT, ClientID: id, Username: id, Password: secret, OnDown: func(error) { losses <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(device.Close)
	return device, losses
}

// Accepts reports whether a device may connect.
func (p *Platform) Accepts(t testing.TB, id, secret string) bool {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: p.MQTT, ClientID: id, Username: id, Password: secret})
	if err == nil {
		c.Close()
	}
	return err == nil
}

// WriteFile writes a file into a folder of its own and returns its path.
func WriteFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
