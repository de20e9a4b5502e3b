package ask

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
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// impatience is how long a test waits for an answer that must not come.
const impatience = 50 * time.Millisecond

// answering runs an answerer of a collector until the test ends.
func answering(t *testing.T, o mqtt.Options, collector string, handlers map[string]Handler, change ...func(*AnswererOptions)) *Answerer {
	t.Helper()
	ao := AnswererOptions{Collector: collector, Handlers: handlers, Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&ao)
	}
	a := NewAnswerer(ao)
	c := dial(t, a.Extend(o))
	a.Use(c)
	t.Cleanup(a.Close)
	return a
}

// asking runs an asker until the test ends.
func asking(t *testing.T, o mqtt.Options) *Asker {
	t.Helper()
	a := NewAsker(AskerOptions{ID: o.ClientID})
	a.Use(dial(t, a.Extend(o)))
	t.Cleanup(a.Close)
	return a
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

// echo answers with its params.
func echo(_ context.Context, params json.RawMessage) (any, error) { return params, nil }

func TestEveryAnswerFindsItsQuestion(t *testing.T) {
	url := mqtttest.Start(t)
	for _, collector := range []string{"main", "a/b"} {
		answering(t, as(url, collector), collector, map[string]Handler{
			"dead/list": func(_ context.Context, params json.RawMessage) (any, error) {
				return collector + " " + string(params), nil
			},
		}, func(o *AnswererOptions) { o.AtOnce = 200 })
	}
	var asked sync.WaitGroup
	for _, id := range []string{"api-1", "api-2"} {
		a := asking(t, as(url, id))
		for i := range 100 {
			for _, collector := range []string{"main", "a/b"} {
				asked.Go(func() {
					var got string
					want := fmt.Sprintf("%s %d", collector, i)
					if err := a.Ask(t.Context(), collector, "dead/list", i, &got); err != nil || got != want {
						t.Errorf("%s: %q, %v; want %q", id, got, err, want)
					}
				})
			}
		}
	}
	asked.Wait()
}

func TestAnErrorArrivesAsItWas(t *testing.T) {
	url := mqtttest.Start(t)
	answering(t, as(url, "main"), "main", map[string]Handler{
		"rule": func(context.Context, json.RawMessage) (any, error) {
			return nil, nhip.Errorf(nhip.NotFound, "id", "there is no letter %%s")
		},
		"other": func(context.Context, json.RawMessage) (any, error) { return nil, errors.New("the password is 1234") },
		"panic": func(context.Context, json.RawMessage) (any, error) { panic("the password is 1234") },
		"nan":   func(context.Context, json.RawMessage) (any, error) { return func() {}, nil },
		"echo":  echo,
	})
	a := asking(t, as(url, "api"))
	for question, want := range map[string]nhip.Error{
		"rule":  {Code: nhip.NotFound, Field: "id", Rule: "there is no letter %s"},
		"other": {Code: nhip.Internal, Rule: `collector "main" failed over other; its log says why`},
		"panic": {Code: nhip.Internal, Rule: `collector "main" failed over panic; its log says why`},
		"nan":   {Code: nhip.Internal, Rule: `collector "main" failed over nan; its log says why`},
		"none":  {Code: nhip.NotFound, Rule: `a collector has no answer to "none"`},
	} {
		var got *nhip.Error
		if err := a.Ask(t.Context(), "main", question, nil, nil); !errors.As(err, &got) || *got != want {
			t.Errorf("%s: %#v, want %#v", question, err, want)
		}
	}
	if err := a.Ask(t.Context(), "main", "echo", "text", new(int)); nhip.ErrorCode(err) != nhip.Internal {
		t.Errorf("an answer that can't be read: %v", err)
	}
}

func TestNoAnswerNamesTheCollector(t *testing.T) {
	url := mqtttest.Start(t)
	a := asking(t, as(url, "api"))
	want := `collector: "gone" does not answer`
	ctx, cancel := context.WithTimeout(t.Context(), impatience)
	defer cancel()
	if err := a.Ask(ctx, "gone", "ledger", nil, nil); nhip.ErrorCode(err) != nhip.Unavailable || err.Error() != want {
		t.Errorf("at the deadline: %v", err)
	}
	a.timeout = impatience
	if err := a.Ask(t.Context(), "gone", "ledger", nil, nil); nhip.ErrorCode(err) != nhip.Unavailable || err.Error() != want {
		t.Errorf("at the time-out: %v", err)
	}
	a.timeout = time.Hour
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := a.Ask(gone, "gone", "ledger", nil, nil); nhip.ErrorCode(err) != nhip.Unavailable || err.Error() != want {
		t.Errorf("the caller left: %v", err)
	}
	if len(a.waiting) != 0 {
		t.Errorf("%d questions are still waited for", len(a.waiting))
	}
	alone := NewAsker(AskerOptions{ID: "alone"})
	defer alone.Close()
	if err := alone.Ask(t.Context(), "main", "ledger", nil, nil); nhip.ErrorCode(err) != nhip.Unavailable || !strings.Contains(err.Error(), "broker is away") {
		t.Errorf("without a broker: %v", err)
	}
}

func TestALateAnswerIsDropped(t *testing.T) {
	url := mqtttest.Start(t)
	release := make(chan struct{})
	answering(t, as(url, "main"), "main", map[string]Handler{
		"slow": func(context.Context, json.RawMessage) (any, error) { <-release; return "late", nil },
		"echo": echo,
	})
	a := asking(t, as(url, "api"))
	ctx, cancel := context.WithTimeout(t.Context(), impatience)
	defer cancel()
	if err := a.Ask(ctx, "main", "slow", nil, nil); nhip.ErrorCode(err) != nhip.Unavailable {
		t.Fatal(err)
	}
	close(release)
	await.True(t, "the late answer is counted", func() bool {
		return testutil.ToFloat64(a.metrics.dropped.WithLabelValues("late")) == 1
	})
	var got string
	if err := a.Ask(t.Context(), "main", "echo", "next", &got); err != nil || got != "next" {
		t.Errorf("the next question: %q, %v", got, err)
	}
}

func TestWhatAPacketCantTakeIsAnError(t *testing.T) {
	url := mqtttest.Start(t)
	a := asking(t, as(url, "api"))
	frame := len(`{"id":"","answer":""}`) + 26 // with the id
	most := mqtt.MaxPayload(mqtt.AnswerTopic("api")) - frame
	answering(t, as(url, "main"), "main", map[string]Handler{
		"long": func(_ context.Context, params json.RawMessage) (any, error) {
			var n int
			err := json.Unmarshal(params, &n)
			return strings.Repeat("x", n), err
		},
	})
	var got string
	if err := a.Ask(t.Context(), "main", "long", most, &got); err != nil || len(got) != most {
		t.Errorf("the longest answer: %d bytes, %v", len(got), err)
	}
	if err := a.Ask(t.Context(), "main", "long", most+1, &got); nhip.ErrorCode(err) != nhip.Internal || !strings.Contains(err.Error(), "a packet takes") {
		t.Errorf("a longer one: %v", err)
	}
	if err := a.Ask(t.Context(), "main", "long", strings.Repeat("x", mqtt.MaxPacket), nil); nhip.ErrorCode(err) != nhip.Invalid {
		t.Errorf("a question that is too long: %v", err)
	}
	if err := a.Ask(t.Context(), strings.Repeat("x", mqtt.MaxTopic), "long", 1, nil); nhip.ErrorCode(err) != nhip.Invalid {
		t.Errorf("a collector whose name is too long: %v", err)
	}
	if err := a.Ask(t.Context(), "main", "long", 1, &got); err != nil || got != "x" {
		t.Errorf("the next question, on the same connection: %v", err)
	}
}

func TestAFloodIsRefusedAtOnce(t *testing.T) {
	url := mqtttest.Start(t)
	const places = 2
	release, running := make(chan struct{}), atomic.Int32{}
	answering(t, as(url, "main"), "main", map[string]Handler{
		"slow": func(context.Context, json.RawMessage) (any, error) {
			running.Add(1)
			defer running.Add(-1)
			<-release
			return "done", nil
		},
	}, func(o *AnswererOptions) { o.AtOnce = places })
	a := asking(t, as(url, "api"))
	var asked sync.WaitGroup
	for range places {
		asked.Go(func() {
			var got string
			if err := a.Ask(t.Context(), "main", "slow", nil, &got); err != nil || got != "done" {
				t.Errorf("one of the first: %q, %v", got, err)
			}
		})
	}
	await.True(t, "every place is taken", func() bool { return running.Load() == places })
	for range 10 {
		if err := a.Ask(t.Context(), "main", "slow", nil, nil); nhip.ErrorCode(err) != nhip.Unavailable || !strings.Contains(err.Error(), "too much at once") {
			t.Errorf("one too many: %v", err)
		}
	}
	if n := running.Load(); n != places {
		t.Errorf("%d run at once, want %d", n, places)
	}
	close(release)
	asked.Wait()
}

func TestQuestionsThatCantBeAnsweredAreCounted(t *testing.T) {
	url := mqtttest.Start(t)
	heard := mqtttest.Listen(t, as(url, "everybody"), "nhip/#")
	speaker := dial(t, as(url, "speaker"))
	good := `{"id":"1","reply":"nhip/answer/speaker"}`
	speaker.Publish(mqtt.AskTopic("main", "echo"), 1, true, []byte(good)).Wait() // before anybody is there
	a := answering(t, as(url, "main"), "main", map[string]Handler{"echo": echo})
	for _, payload := range []string{
		`{`, ``, `[]`, `{"reply":"nhip/answer/speaker"}`, `{"id":7,"reply":"nhip/answer/speaker"}`,
		`{"id":"` + strings.Repeat("x", maxID+1) + `","reply":"nhip/answer/speaker"}`,
		`{"id":"1"}`, `{"id":"1","reply":"nhip/live/census/main"}`, `{"id":"1","reply":"nhip/answer/#"}`,
		`{"id":"1","reply":"nhip/answer/+/x"}`, `{"id":"1","reply":"nhip/answer/"}`, `{"id":"1","reply":"nhip/ask/main/echo"}`,
	} {
		speaker.Publish(mqtt.AskTopic("main", "echo"), 1, false, []byte(payload)).Wait()
	}
	speaker.Publish(mqtt.AskTopic("main", "echo"), 1, false, []byte(`{"id":"last","reply":"nhip/answer/speaker","params":1}`))
	heard.Wait(t, "the one answer", func(m mqtttest.Message) bool {
		if !strings.HasPrefix(m.Topic, "nhip/ask/") && m.Payload != `{"id":"last","answer":1}` {
			t.Errorf("%s is told %s", m.Topic, m.Payload)
		}
		return m.Topic == "nhip/answer/speaker"
	})
	for reason, want := range map[string]float64{"retained": 1, "malformed": 6, "reply": 6} {
		if got := testutil.ToFloat64(a.metrics.dropped.WithLabelValues(reason)); got != want {
			t.Errorf("%s: %v, want %v", reason, got, want)
		}
	}
}

func TestCloseEndsWhatIsAsked(t *testing.T) {
	url := mqtttest.Start(t)
	begun := make(chan struct{})
	b := answering(t, as(url, "main"), "main", map[string]Handler{
		"slow": func(ctx context.Context, _ json.RawMessage) (any, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	a := asking(t, as(url, "api"))
	asked := make(chan error)
	go func() { asked <- a.Ask(t.Context(), "main", "slow", nil, nil) }()
	<-begun
	b.Close()
	if err := <-asked; nhip.ErrorCode(err) != nhip.Unavailable || !strings.Contains(err.Error(), `"main" is stopping`) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), impatience)
	defer cancel()
	if err := a.Ask(ctx, "main", "slow", nil, nil); err == nil {
		t.Error("it answers after its end")
	}
}

func TestOtherTopicsGoWhereTheyWent(t *testing.T) {
	url := mqtttest.Start(t)
	others := make(chan string, 1)
	o := as(url, "main")
	o.Subscribe = map[string]byte{mqtt.LiveCensus: 0}
	o.Handle = func(topic string, _ []byte, _ bool) { others <- topic }
	answering(t, o, "main", map[string]Handler{"echo": echo})
	if len(o.Subscribe) != 1 {
		t.Error("the caller's filters are changed")
	}
	a := asking(t, as(url, "api"))
	var got string
	if err := a.Ask(t.Context(), "main", "echo", "x", &got); err != nil || got != "x" {
		t.Errorf("%q, %v", got, err)
	}
	dial(t, as(url, "other")).Publish(mqtt.CensusTopic("other"), 1, false, []byte("{}"))
	if topic := <-others; topic != mqtt.CensusTopic("other") {
		t.Errorf("the others hear %s", topic)
	}
}

// TestUnderTheShippedRules asks over Mosquitto with the accounts that its rules know.
func TestUnderTheShippedRules(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	answering(t, b.Options(mqtttest.Collector), "main", map[string]Handler{"dead/list": echo})
	var got string
	if err := asking(t, b.Options(mqtttest.API)).Ask(t.Context(), "main", "dead/list", "x", &got); err != nil || got != "x" {
		t.Errorf("%q, %v", got, err)
	}
}
