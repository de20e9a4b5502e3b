package app_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"nhip"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/datadir"
	"nhip/internal/influx/influxtest"
)

// checkReleased checks that no role holds a data folder.
func checkReleased(t *testing.T, dir string) {
	t.Helper()
	d, err := datadir.Open(dir, datadir.All)
	if err != nil {
		t.Fatalf("the data folder is still in use: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestStartReportsAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []struct {
		key    string
		role   func(app.Options) *app.Role
		change func(o *app.Options)
	}{
		{"http.listen", app.Up, func(o *app.Options) { o.Config.HTTP.Listen = l.Addr().String() }},
		{"mqtt.listen", app.Up, func(o *app.Options) { o.Config.MQTT.Listen = l.Addr().String() }},
		{"public.listen", app.Up, func(o *app.Options) { o.Config.Public.Listen = l.Addr().String() }},
		{"public.mqtt", app.Up, func(o *app.Options) { o.Config.Public.MQTT = l.Addr().String() }},
		{"push.listen", app.Gateway, func(o *app.Options) {
			o.Config.Broker.URL, o.Config.Push.Listen = "tcp://127.0.0.1:1", l.Addr().String()
		}},
		{"health.listen", app.Gateway, func(o *app.Options) {
			o.Config.Broker.URL, o.Config.Health.Listen = "tcp://127.0.0.1:1", l.Addr().String()
		}},
	} {
		t.Run(c.key, func(t *testing.T) {
			o := apptest.Options(t, t.TempDir(), "")
			c.change(&o)
			err := c.role(o).Start(t.Context())
			var listen *app.ListenError
			if !errors.As(err, &listen) || listen.Key != c.key || !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("Start returned %v", err)
			}
			checkReleased(t, o.DataDir)
		})
	}
}

func TestStartReportsMissingKey(t *testing.T) {
	for name, c := range map[string]struct {
		role func(app.Options) *app.Role
		yaml string
		key  string
	}{
		"gateway":   {app.Gateway, "", "broker.url"},
		"collector": {app.Collector, "broker: {url: 'tcp://127.0.0.1:1'}", "influx.url"},
		"api":       {app.API, "influx: {url: 'http://127.0.0.1:1'}", "broker.url"},
	} {
		err := c.role(apptest.Options(t, t.TempDir(), c.yaml)).Start(t.Context())
		var missing *nhip.Error
		if !errors.As(err, &missing) || missing.Code != nhip.CodeMissing || missing.Field != c.key {
			t.Errorf("%s: Start returned %v", name, err)
		}
	}
}

// TestStartEndsWithContext starts a collector without a broker, which waits until its context ends.
func TestStartEndsWithContext(t *testing.T) {
	o := apptest.Options(t, t.TempDir(),
		"broker: {url: 'tcp://127.0.0.1:1'}\ninflux: {url: 'http://127.0.0.1:1', token: t}")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := app.Collector(o).Start(ctx); err == nil {
		t.Error("Start returned no error")
	}
	if took := time.Since(began); took >= app.StopTimeout {
		t.Errorf("Start took %s", took)
	}
	checkReleased(t, o.DataDir)
}

// TestStopEndsWithContext stops all roles with a context that has ended: Stop returns, and the parts stop all the same.
func TestStopEndsWithContext(t *testing.T) {
	o := apptest.Options(t, t.TempDir(), "")
	o.Influxd = influxtest.Binary(t)
	role := app.Up(o)
	if err := role.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := role.Stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Stop returned %v", err)
	}
	awaittest.True(t, "the data folder is released", func() bool {
		d, err := datadir.Open(o.DataDir, datadir.All)
		return err == nil && d.Close() == nil
	})
}
