package app_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/geo/geotest"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/topics"
)

// keptReminder is a reminder as the api answers it.
type keptReminder struct {
	ID, Token, State, Topic string
	FiresBy                 time.Time `json:"fires_by"`
	Expires                 time.Time
	Fired                   *nhip.ReminderNotification
	Place                   *nhip.ReminderPlace
}

// remind sets a reminder of a page. body is the fields besides the token of the page.
func remind(t *testing.T, c *apitest.Client, body string) (r keptReminder) {
	t.Helper()
	a := c.Post(t, "/v1/reminders", fmt.Sprintf(`{%s,"form_token":%q}`, body, reminderToken(t, c)))
	if a.Status != http.StatusCreated {
		t.Fatalf("%s: %d %s", body, a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, &r); err != nil || r.ID == "" || r.Token == "" {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return r
}

// reminderToken returns the token of a page for one reminder.
func reminderToken(t *testing.T, c *apitest.Client) string {
	t.Helper()
	var form struct {
		Token string `json:"form_token"`
	}
	apptest.Decode(t, c.Get(t, "/v1/reminders/form"), &form)
	return form.Token
}

// readReminder returns a reminder; its state is "" if it is gone.
func readReminder(t *testing.T, c *apitest.Client, r keptReminder) (out keptReminder) {
	t.Helper()
	if a := c.Get(t, "/v1/reminders/"+r.ID, "Reminder-Token", r.Token); a.Status == http.StatusOK {
		if err := json.Unmarshal(a.Body, &out); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// listenMQTT counts the notifications of reminders by their topics.
func listenMQTT(t *testing.T, o mqtt.Options) (count func(topic string) int) {
	t.Helper()
	var mu sync.Mutex
	byTopic := make(map[string]int)
	o.Subscribe = map[string]byte{topics.NotificationTopic("") + "+": 1}
	o.Handle = func(topic string, _ []byte, _ bool) {
		mu.Lock()
		defer mu.Unlock()
		byTopic[topic]++
	}
	up := make(chan struct{})
	o.OnUp = sync.OnceFunc(func() { close(up) })
	client, err := mqtt.DialRetry(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	<-up
	return func(topic string) int {
		mu.Lock()
		defer mu.Unlock()
		return byTopic[topic]
	}
}

// readEvents reads a stream of notifications to its end.
func readEvents(t *testing.T, c *apitest.Client, r keptReminder) <-chan []string {
	t.Helper()
	out := make(chan []string, 1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		c.Base()+"/v1/reminders/events?reminders="+r.ID+"."+r.Token, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer resp.Body.Close()
		var all []string
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is && strings.Contains(data, `"state"`) {
				var n nhip.ReminderNotification
				_ = json.Unmarshal([]byte(data), &n)
				all = append(all, string(n.State))
			}
		}
		out <- all
	}()
	return out
}

// TestRemindersFireOnce drives a bus to the stops of reminders, and starts anew on a copy of the collector's folder
// that was taken while it ran, as after a kill.
func TestRemindersFireOnce(t *testing.T) {
	zip := apptest.TimetableFile(t)
	eight := time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)
	start := func(dir string, at time.Time) *apptest.Platform {
		o := apptest.Options(t, dir, fmt.Sprintf("gtfs: %q", zip))
		o.Clock = nhip.NewReplayClock(at, 1)
		return apptest.Start(t, app.Up, o)
	}
	dir := t.TempDir()
	p := start(dir, eight)
	c := p.API(t)
	p.Publish(t, apptest.Drive("29B-1", eight.Add(-14*time.Minute), 14*60)...) // before S10
	checkTrackedBus(t, c, eight)
	heard := listenMQTT(t, p.Operator(t, "listener"))
	later := remind(t, c, `"kind":"bus","stop":"S19","minutes":3,"line":"01"`)
	if until := later.FiresBy.Sub(eight); until < 2*time.Minute || until > 20*time.Minute {
		t.Errorf("fires by %v", later.FiresBy)
	}
	leave := remind(t, c, `"kind":"leave","stop":"S14","walk_s":300,"line":"01"`)
	off := remind(t, c, `"kind":"get_off","stop":"S13","stops":1,"agency":"hanoi","vehicle":"29B-1","updates":true`)
	checkAirReminder(t, c)
	checkReminderRules(t, c, off)
	events := readEvents(t, c, leave)
	awaittest.True(t, "it is time to leave", func() bool { return readReminder(t, c, leave).State == "fired" })
	told := readReminder(t, c, leave).Fired
	if told == nil || told.Vehicle != "29B-1" || told.Stop != "S14" || told.Event != leave.ID+".fired" || told.Body == "" {
		t.Errorf("told %+v", told)
	}
	if all := strings.Join(<-events, " "); strings.Count(all, "fired") != 1 || !strings.HasSuffix(all, "fired") {
		t.Errorf("streamed %v", all)
	}
	awaittest.True(t, "an update is told", func() bool { return heard(off.Topic) > 0 })
	awaittest.True(t, "all is delivered", func() bool {
		return apptest.Metric(t, c, "nhip_reminders_undelivered") == "nhip_reminders_undelivered 0"
	})
	if n := heard(leave.Topic); n != 1 {
		t.Errorf("%d notifications over MQTT", n)
	}
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(filepath.Join(dir, "collector"))); err != nil {
		t.Fatal(err)
	}
	p.Stop(t)
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "collector")),
		os.CopyFS(filepath.Join(dir, "collector"), os.DirFS(killed))); err != nil {
		t.Fatal(err)
	}
	p = start(dir, eight.Add(12*time.Minute))
	heard = listenMQTT(t, p.Operator(t, "listener"))
	checkFiresAfterStart(t, p, eight, later, off, leave)
	if n, again := heard(later.Topic), heard(leave.Topic); n != 1 || again > 0 {
		t.Errorf("%d notifications of the one that fired, %d of the one that had", n, again)
	}
}

// checkFiresAfterStart drives the bus to the stops of reminders that wait since before the start.
func checkFiresAfterStart(t *testing.T, p *apptest.Platform, eight time.Time, later, off, fired keptReminder) {
	t.Helper()
	c := p.API(t)
	awaittest.True(t, "the reminder that fired is there", func() bool {
		return readReminder(t, c, fired).State == "fired"
	})
	before := readReminder(t, c, fired).Fired
	awaittest.True(t, "the one on a bus that is silent fires", func() bool {
		return readReminder(t, c, off).State == "fired"
	})
	if state := readReminder(t, c, later).State; state != "waiting" {
		t.Errorf("without a bus that reports it is %s", state)
	}
	p.Publish(t, apptest.Drive("29B-1", eight.Add(-14*time.Minute), 26*60)...) // before S19
	awaittest.True(t, "the one that waited fires", func() bool { return readReminder(t, c, later).State == "fired" })
	awaittest.True(t, "all is delivered", func() bool {
		return apptest.Metric(t, c, "nhip_reminders_undelivered") == "nhip_reminders_undelivered 0"
	})
	if after := readReminder(t, c, fired); after.Fired == nil || !after.Fired.Time.Equal(before.Time) {
		t.Errorf("fired again: %+v", after.Fired)
	}
	if a := c.Delete(t, "/v1/reminders/"+fired.ID, "Reminder-Token", fired.Token); a.Status != http.StatusNoContent {
		t.Errorf("removal: %d %s", a.Status, a.Body)
	}
	awaittest.True(t, "it is removed", func() bool { return readReminder(t, c, fired).State == "" })
}

// checkAirReminder sets a reminder about the air at a place, which is rounded.
func checkAirReminder(t *testing.T, c *apitest.Client) {
	t.Helper()
	r := remind(t, c, `"kind":"air","place":{"lat":21.03141,"lon":105.85237},"above":50`)
	if r.Place == nil || *r.Place != (nhip.ReminderPlace{Lat: 21.03, Lon: 105.85}) || r.State != "waiting" {
		t.Errorf("%+v", r)
	}
}

// checkReminderRules sends what must be refused.
func checkReminderRules(t *testing.T, c *apitest.Client, known keptReminder) {
	t.Helper()
	for body, want := range map[string]string{
		`{"kind":"bus","stop":"S14","line":"01"}`:                                            "400 form_token",
		`{"kind":"bus","stop":"S14","line":"01","form_token":"x"}`:                           "403 form_token",
		`{"kind":"bus","stop":"S99","line":"01","form_token":"x"}`:                           "404 stop",
		`{"kind":"bus","stop":"S14","line":"99","form_token":"x"}`:                           "404 line",
		`{"kind":"bus","stop":"S14","form_token":"x"}`:                                       "400 line",
		`{"kind":"bus","stop":"S14","line":"01","minutes":0,"form_token":"x"}`:               "400 minutes",
		`{"kind":"leave","stop":"S14","line":"01","form_token":"x"}`:                         "400 walk_s",
		`{"kind":"line","line":"01","stop":"S14","form_token":"x"}`:                          "400 stop",
		`{"kind":"air","stop":"S14","form_token":"x"}`:                                       "400 above",
		`{"kind":"air","stop":"S14","quantity":"pm25","above":1,"form_token":"x"}`:           "400 quantity",
		`{"kind":"air","station":"x","above":1,"form_token":"x"}`:                            "404 station",
		`{"kind":"get_off","stop":"S14","agency":"a","vehicle":"b","form_token":"x"}`:        "404 vehicle",
		`{"kind":"get_off","stop":"S2","agency":"hanoi","vehicle":"29B-1","form_token":"x"}`: "400 stop",
		`{"kind":"line","line":"01","expires":"2001-01-01T00:00:00Z","form_token":"x"}`:      "400 expires",
		`{"kind":"line","line":"01","form_token":"x","webhook":{"url":"https://x"}}`:         "400 webhook",
	} {
		a := c.Post(t, "/v1/reminders", body)
		var problem struct{ Field string }
		_ = json.Unmarshal(a.Body, &problem)
		if got := fmt.Sprint(a.Status, " ", problem.Field); got != want {
			t.Errorf("%s: %s, want %s: %s", body, got, want, a.Body)
		}
	}
	if a := c.Get(t, "/v1/reminders/"+known.ID, "Reminder-Token", "wrong"); a.Status != http.StatusNotFound {
		t.Errorf("another token: %d", a.Status)
	}
}
