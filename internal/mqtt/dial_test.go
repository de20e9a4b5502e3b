package mqtt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
)

// retryLimit ends a DialRetry that can't succeed.
const retryLimit = 100 * time.Millisecond

func TestDialRetryWaitsForBroker(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	b.Stop(t)
	log := &mqtttest.Log{}
	o := b.Options(mqtttest.API)
	o.Logger = log.Logger()
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	type outcome struct {
		client *mqtt.Client
		err    error
	}
	dialed := make(chan outcome, 1)
	go func() {
		c, err := mqtt.DialRetry(ctx, o)
		dialed <- outcome{c, err}
	}()
	awaittest.True(t, "the cause is logged", func() bool { return log.Count("connection refused") == 1 })
	b.Start(t)
	got := <-dialed
	if got.err != nil {
		t.Fatal(got.err)
	}
	got.client.Close()
	if line := log.Repeated("waiting for the MQTT broker"); line != "" {
		t.Errorf("logged twice: %s\n%s", line, log)
	}
}

func TestDialRetryGivesUp(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	ctx, cancel := context.WithTimeout(t.Context(), retryLimit)
	defer cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		spoil func(*mqtt.Options)
		want  []string
	}{
		"wrong password": {t.Context(), func(o *mqtt.Options) { o.Password = "x" }, []string{
			b.URL, `rejects the log-in of "nhip-api": the user name or its password is wrong`,
		}},
		"unknown scheme": {t.Context(), func(o *mqtt.Options) { o.URL = "ws://localhost" }, []string{"must be tcp or mqtt"}},
		"context ended": {ctx, func(o *mqtt.Options) { o.URL = "tcp://user:hidden@127.0.0.1:1" }, []string{
			"tcp://user:xxxxx@127.0.0.1:1", context.DeadlineExceeded.Error(),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := b.Options(mqtttest.API)
			c.spoil(&o)
			_, err := mqtt.DialRetry(c.ctx, o)
			if err == nil {
				t.Fatal("DialRetry returned no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not contain %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %q contains a password", err)
			}
			if c.ctx == ctx && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v is not context.DeadlineExceeded", err)
			}
		})
	}
}

func TestDialErrorNamesBroker(t *testing.T) {
	_, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://127.0.0.1:1", ClientID: "x"})
	if err == nil || !strings.Contains(err.Error(), "tcp://127.0.0.1:1") {
		t.Errorf("an unreachable broker: %v, want an error with its URL", err)
	}
	if _, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "ssl://127.0.0.1:1", ClientID: "x"}); err == nil {
		t.Error("Dial connects to a port that nobody listens on")
	}
}
