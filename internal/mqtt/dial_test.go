package mqtt_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
)

func TestDialPatientlyWaitsForTheBroker(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	b.Stop(t)
	log := &logbook{}
	o := b.Options(mqtttest.API)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	type outcome struct {
		client *mqtt.Client
		err    error
	}
	dialled := make(chan outcome, 1)
	go func() {
		c, err := mqtt.DialPatiently(ctx, o)
		dialled <- outcome{c, err}
	}()
	await.True(t, "the cause is logged", func() bool { return log.count("connection refused") == 1 })
	b.Start(t)
	got := <-dialled
	if got.err != nil {
		t.Fatal(got.err)
	}
	got.client.Close()
	if log.count("waiting for the MQTT broker") != 1 {
		t.Errorf("it is not said once:\n%s", log.text())
	}
}

func TestDialPatientlyGivesUp(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		spoil func(*mqtt.Options)
		want  []string
	}{
		"a wrong password": {t.Context(), func(o *mqtt.Options) { o.Password = "x" }, []string{
			b.URL, `"nhip-api" not in: the user name or its password is wrong`,
		}},
		"a scheme we don't speak": {t.Context(), func(o *mqtt.Options) { o.URL = "ws://localhost" }, []string{"must be tcp or mqtt"}},
		"when ctx ends": {ctx, func(o *mqtt.Options) { o.URL = "tcp://user:hidden@127.0.0.1:1" }, []string{
			"tcp://user:xxxxx@127.0.0.1:1", "connection refused", context.DeadlineExceeded.Error(),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := b.Options(mqtttest.API)
			c.spoil(&o)
			_, err := mqtt.DialPatiently(c.ctx, o)
			if err == nil {
				t.Fatal("it connects")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("%q tells a password", err)
			}
			if c.ctx == ctx && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v is not the context's", err)
			}
		})
	}
}
