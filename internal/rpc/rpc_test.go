package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// callLimit ends a call that gets no response.
const callLimit = 50 * time.Millisecond

// startServer runs the server of a collector until the test ends.
func startServer(t *testing.T, o mqtt.Options, collector string, handlers map[string]Handler,
	change ...func(*ServerOptions),
) *Server {
	t.Helper()
	so := ServerOptions{Name: collector, Handlers: handlers, Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&so)
	}
	s := NewServer(so)
	s.Use(dial(t, s.Extend(o)))
	t.Cleanup(s.Close)
	return s
}

// startClient runs a client until the test ends. Its calls wait as long as a test waits for anything.
func startClient(t *testing.T, o mqtt.Options) *Client {
	t.Helper()
	c := NewClient(ClientOptions{ID: o.ClientID, Timeout: awaittest.Timeout})
	c.Use(dial(t, c.Extend(o)))
	t.Cleanup(c.Close)
	return c
}

func dial(t *testing.T, o mqtt.Options) *mqtt.Client {
	t.Helper()
	o.OnDown = func(err error) { t.Errorf("%s lost the broker: %v", o.ClientID, err) }
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func as(url, id string) mqtt.Options { return mqtt.Options{URL: url, ClientID: id} }

// echo returns its params.
func echo(_ context.Context, params json.RawMessage) (any, error) { return params, nil }

func TestResponsesReachTheirCalls(t *testing.T) {
	url := mqtttest.Start(t)
	for _, collector := range []string{"main", "a/b"} {
		startServer(t, as(url, collector), collector, map[string]Handler{
			"dead/list": func(_ context.Context, params json.RawMessage) (any, error) {
				return collector + " " + string(params), nil
			},
		}, func(o *ServerOptions) { o.MaxConcurrent = 200 })
	}
	var calls sync.WaitGroup
	for _, id := range []string{"api-1", "api-2"} {
		c := startClient(t, as(url, id))
		for i := range 100 {
			for _, collector := range []string{"main", "a/b"} {
				calls.Go(func() {
					var got string
					want := fmt.Sprintf("%s %d", collector, i)
					if err := c.Call(t.Context(), collector, "dead/list", i, &got); err != nil || got != want {
						t.Errorf("%s: got %q, %v; want %q", id, got, err, want)
					}
				})
			}
		}
	}
	calls.Wait()
}

func TestClientReceivesErrorOfHandler(t *testing.T) {
	url := mqtttest.Start(t)
	startServer(t, as(url, "main"), "main", map[string]Handler{
		"rule": func(context.Context, json.RawMessage) (any, error) {
			return nil, nhip.Errorf(nhip.CodeNotFound, "id", "there is no letter %%s")
		},
		"other": func(context.Context, json.RawMessage) (any, error) { return nil, errors.New("the password is 1234") },
		"panic": func(context.Context, json.RawMessage) (any, error) { panic("the password is 1234") },
		"func":  func(context.Context, json.RawMessage) (any, error) { return func() {}, nil },
		"echo":  echo,
	})
	c := startClient(t, as(url, "api"))
	for method, want := range map[string]nhip.Error{
		"rule":  {Code: nhip.CodeNotFound, Field: "id", Rule: "there is no letter %s"},
		"other": {Code: nhip.CodeInternal, Rule: `"main" failed to handle other; see its log`},
		"panic": {Code: nhip.CodeInternal, Rule: `"main" failed to handle panic; see its log`},
		"func":  {Code: nhip.CodeInternal, Rule: `"main" failed to handle func; see its log`},
		"none":  {Code: nhip.CodeNotFound, Rule: `there is no method "none"`},
	} {
		var got *nhip.Error
		if err := c.Call(t.Context(), "main", method, nil, nil); !errors.As(err, &got) || *got != want {
			t.Errorf("%s: got %#v, want %#v", method, err, want)
		}
	}
	if err := c.Call(t.Context(), "main", "echo", "text", new(int)); nhip.ErrorCode(err) != nhip.CodeInternal {
		t.Errorf("a result of another type: got %v, want internal", err)
	}
}

func TestMissingResponseNamesCollector(t *testing.T) {
	url := mqtttest.Start(t)
	c := startClient(t, as(url, "api"))
	check := func(what string, err error) {
		t.Helper()
		want := `collector: "gone" does not answer`
		if nhip.ErrorCode(err) != nhip.CodeUnavailable || err.Error() != want {
			t.Errorf("%s: got %v, want %s", what, err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	check("at the deadline", c.Call(ctx, "gone", "ledger", nil, nil))
	c.timeout = callLimit
	check("at the time-out", c.Call(t.Context(), "gone", "ledger", nil, nil))
	c.timeout = time.Hour
	ended, end := context.WithCancel(t.Context())
	end()
	check("with an ended context", c.Call(ended, "gone", "ledger", nil, nil))
	if len(c.pending) != 0 {
		t.Errorf("%d calls are still pending", len(c.pending))
	}
}

func TestCallFailsWithoutConnection(t *testing.T) {
	c := NewClient(ClientOptions{ID: "alone"})
	defer c.Close()
	err := c.Call(t.Context(), "main", "ledger", nil, nil)
	if nhip.ErrorCode(err) != nhip.CodeUnavailable || !strings.Contains(err.Error(), "broker is not connected") {
		t.Errorf("got %v, want unavailable", err)
	}
}

func TestClientDropsLateResponse(t *testing.T) {
	url := mqtttest.Start(t)
	begun, release := make(chan struct{}), make(chan struct{})
	startServer(t, as(url, "main"), "main", map[string]Handler{
		"slow": func(context.Context, json.RawMessage) (any, error) { close(begun); <-release; return "late", nil },
		"echo": echo,
	})
	c := startClient(t, as(url, "api"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if err := c.Call(ctx, "main", "slow", nil, nil); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Fatal(err)
	}
	close(release)
	awaittest.True(t, "the late response is counted", func() bool {
		return testutil.ToFloat64(c.metrics.dropped.WithLabelValues("late")) == 1
	})
	var got string
	if err := c.Call(t.Context(), "main", "echo", "next", &got); err != nil || got != "next" {
		t.Errorf("the next call: got %q, %v", got, err)
	}
}

func TestTooLongMessagesAreErrors(t *testing.T) {
	url := mqtttest.Start(t)
	c := startClient(t, as(url, "api"))
	frame := len(`{"id":"","answer":""}`) + 26 // 26: the length of the id
	limit := topics.MaxPayload(topics.ResponseTopic("api")) - frame
	startServer(t, as(url, "main"), "main", map[string]Handler{
		"long": func(_ context.Context, params json.RawMessage) (any, error) {
			var n int
			err := json.Unmarshal(params, &n)
			return strings.Repeat("x", n), err
		},
	})
	var got string
	if err := c.Call(t.Context(), "main", "long", limit, &got); err != nil || len(got) != limit {
		t.Errorf("the longest response: got %d bytes, %v", len(got), err)
	}
	err := c.Call(t.Context(), "main", "long", limit+1, &got)
	if nhip.ErrorCode(err) != nhip.CodeInternal || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("a longer response: got %v, want internal", err)
	}
	err = c.Call(t.Context(), "main", "long", strings.Repeat("x", topics.MaxPacket), nil)
	if nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("a longer request: got %v, want invalid", err)
	}
	err = c.Call(t.Context(), strings.Repeat("x", topics.MaxTopic), "long", 1, nil)
	if nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("a longer name of a collector: got %v, want invalid", err)
	}
	if err := c.Call(t.Context(), "main", "long", 1, &got); err != nil || got != "x" {
		t.Errorf("the next call on the same connection: got %q, %v", got, err)
	}
}

func TestServerRejectsTooManyRequests(t *testing.T) {
	url := mqtttest.Start(t)
	const limit = 2
	release, running := make(chan struct{}), atomic.Int32{}
	startServer(t, as(url, "main"), "main", map[string]Handler{
		"slow": func(context.Context, json.RawMessage) (any, error) {
			running.Add(1)
			defer running.Add(-1)
			<-release
			return "done", nil
		},
	}, func(o *ServerOptions) { o.MaxConcurrent = limit })
	c := startClient(t, as(url, "api"))
	var calls sync.WaitGroup
	for range limit {
		calls.Go(func() {
			var got string
			if err := c.Call(t.Context(), "main", "slow", nil, &got); err != nil || got != "done" {
				t.Errorf("a call within the limit: got %q, %v", got, err)
			}
		})
	}
	awaittest.True(t, "the limit is reached", func() bool { return running.Load() == limit })
	for range 10 {
		err := c.Call(t.Context(), "main", "slow", nil, nil)
		if nhip.ErrorCode(err) != nhip.CodeUnavailable || !strings.Contains(err.Error(), "too many requests") {
			t.Errorf("a call above the limit: got %v, want unavailable", err)
		}
	}
	if n := running.Load(); n != limit {
		t.Errorf("%d handlers run at once, want %d", n, limit)
	}
	close(release)
	calls.Wait()
}

func TestServerCountsInvalidRequests(t *testing.T) {
	url := mqtttest.Start(t)
	all := mqtttest.Listen(t, as(url, "listener"), "nhip/#")
	publisher := dial(t, as(url, "publisher"))
	topic := topics.RequestTopic("main", "echo")
	valid := `{"id":"1","reply":"nhip/answer/publisher"}`
	publisher.Publish(topic, 1, true, []byte(valid)).Wait() // before the server subscribes
	s := startServer(t, as(url, "main"), "main", map[string]Handler{"echo": echo})
	for _, payload := range []string{
		`{`, ``, `[]`, `{"reply":"nhip/answer/publisher"}`, `{"id":7,"reply":"nhip/answer/publisher"}`,
		`{"id":"` + strings.Repeat("x", maxID+1) + `","reply":"nhip/answer/publisher"}`,
		`{"id":"1"}`, `{"id":"1","reply":"nhip/live/census/main"}`, `{"id":"1","reply":"nhip/answer/#"}`,
		`{"id":"1","reply":"nhip/answer/+/x"}`, `{"id":"1","reply":"nhip/answer/"}`,
		`{"id":"1","reply":"nhip/ask/main/echo"}`,
	} {
		publisher.Publish(topic, 1, false, []byte(payload)).Wait()
	}
	publisher.Publish(topic, 1, false, []byte(`{"id":"last","reply":"nhip/answer/publisher","params":1}`))
	all.Wait(t, "the response to the valid request", func(m mqtttest.Message) bool {
		if !strings.HasPrefix(m.Topic, "nhip/ask/") && m.Payload != `{"id":"last","answer":1}` {
			t.Errorf("unexpected message on %s: %s", m.Topic, m.Payload)
		}
		return m.Topic == "nhip/answer/publisher"
	})
	dropped := func(reason string) float64 { return testutil.ToFloat64(s.metrics.dropped.WithLabelValues(reason)) }
	awaittest.True(t, "the retained request is counted", func() bool { return dropped("retained") == 1 })
	for _, reason := range []string{"malformed", "reply"} {
		if got := dropped(reason); got != 6 {
			t.Errorf("dropped as %s: got %v, want 6", reason, got)
		}
	}
}

func TestServerCloseEndsRunningHandlers(t *testing.T) {
	url := mqtttest.Start(t)
	begun := make(chan struct{})
	s := startServer(t, as(url, "main"), "main", map[string]Handler{
		"slow": func(ctx context.Context, _ json.RawMessage) (any, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	c := startClient(t, as(url, "api"))
	returned := make(chan error)
	go func() { returned <- c.Call(t.Context(), "main", "slow", nil, nil) }()
	<-begun
	s.Close()
	if err := <-returned; nhip.ErrorCode(err) != nhip.CodeUnavailable ||
		!strings.Contains(err.Error(), `"main" is stopping`) {
		t.Errorf("got %v, want that the collector is stopping", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	if err := c.Call(ctx, "main", "slow", nil, nil); err == nil {
		t.Error("a closed server handles a request")
	}
}

func TestExtendPassesOtherTopicsOn(t *testing.T) {
	url := mqtttest.Start(t)
	others := make(chan string, 1)
	o := as(url, "main")
	o.Subscribe = map[string]byte{topics.LiveCensus: 0}
	o.Handle = func(topic string, _ []byte, _ bool) { others <- topic }
	startServer(t, o, "main", map[string]Handler{"echo": echo})
	if len(o.Subscribe) != 1 {
		t.Error("Extend changes the caller's filters")
	}
	c := startClient(t, as(url, "api"))
	var got string
	if err := c.Call(t.Context(), "main", "echo", "x", &got); err != nil || got != "x" {
		t.Errorf("got %q, %v", got, err)
	}
	dial(t, as(url, "other")).Publish(topics.CensusTopic("other"), 1, false, []byte("{}"))
	if topic := <-others; topic != topics.CensusTopic("other") {
		t.Errorf("the other handler received %s", topic)
	}
}

// TestCallUnderShippedRules calls over Mosquitto with the accounts of the shipped rules.
func TestCallUnderShippedRules(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	startServer(t, b.Options(mqtttest.Collector), "main", map[string]Handler{"dead/list": echo})
	var got string
	err := startClient(t, b.Options(mqtttest.API)).Call(t.Context(), "main", "dead/list", "x", &got)
	if err != nil || got != "x" {
		t.Errorf("got %q, %v", got, err)
	}
}
