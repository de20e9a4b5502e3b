package collector

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/internal/awaittest"
)

// message is a message of a sender.
type message struct{ account, topic, payload string }

// sendAll sends messages and waits until all are acknowledged.
func (h *harness) sendAll(t *testing.T, all []message) {
	t.Helper()
	done := make(chan error, len(all))
	for _, m := range all {
		h.Accept(nhip.Message{
			Client: m.account, Account: m.account, Topic: m.topic, Payload: []byte(m.payload), Received: h.clock.Now(),
		}, func(err error) { done <- err })
	}
	for range all {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// storedSeries waits until nothing is pending and returns the distinct series in the database.
func (h *harness) storedSeries(t *testing.T) map[string]bool {
	t.Helper()
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	series := make(map[string]bool)
	for _, row := range h.store.rows() {
		name, _, _ := strings.Cut(row, " ")
		series[name] = true
	}
	return series
}

func hfpTopic(operator, vehicle int, route string) string {
	return fmt.Sprintf("/hfp/v2/journey/ongoing/vp/bus/%04d/%05d/%s/1/Depot/12:00/1234/5/60;24/19/73/44", operator,
		vehicle, route)
}

func hfpAt(at time.Time, operator, vehicle int) string {
	return fmt.Sprintf(`{"VP":{"oper":%d,"veh":%d,"tst":%q,"lat":60.1,"long":24.9}}`,
		operator, vehicle, at.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// TestSenderCreatesNoMoreThanItsBudget lets one sender name thousands of vehicles, agencies and routes, over a restart
// and the next hour.
func TestSenderCreatesNoMoreThanItsBudget(t *testing.T) {
	h := newHarness(t)
	h.budget = Budget{NewDevices: 50}
	h.start(t)
	send := func(account string, from, to int) {
		var all []message
		for i := from; i < to; i++ {
			all = append(all, message{account, hfpTopic(i%20, i, fmt.Sprint("R", i)), hfpAt(h.clock.Now(), i%20, i)})
		}
		h.sendAll(t, all)
	}
	send("box", 0, 400)
	send("other", 1000, 1010) // another sender has a budget of its own
	if n := len(h.storedSeries(t)); n != 60 {
		t.Errorf("%d series of 2 senders, want 50 + 10", n)
	}
	rows := h.ledger(t)
	rejected := int64(0)
	for _, r := range rows {
		rejected += r.Rejected[nhip.CodeTooManySeries]
	}
	if rejected != 350 || len(rows) > 62 {
		t.Errorf("%d rows rejected, want 350; %d rows in the ledger", rejected, len(rows))
	}
	h.stop(t)
	h.start(t)
	h.clock.set(noon.Add(time.Minute))
	send("box", 0, 50) // known ones, also after a restart and without budget
	if n := len(h.storedSeries(t)); n != 60 {
		t.Errorf("%d series after a restart", n)
	}
	if n := strings.Count(strings.Join(h.store.rows(), "\n"), "\n") + 1; n != 110 {
		t.Errorf("%d rows, want 60 and 50 more of known vehicles", n)
	}
	h.clock.set(noon.Add(time.Hour))
	send("box", 2000, 2100)
	if n := len(h.storedSeries(t)); n != 110 {
		t.Errorf("%d series in the next hour, want 50 more", n)
	}
}

// An operator has no budget, and the devices that he names are known.
func TestOperatorHasNoBudget(t *testing.T) {
	h := newHarness(t)
	h.budget = Budget{NewDevices: 1}
	h.start(t)
	done := make(chan error, 20)
	for i := range 20 {
		h.Accept(nhip.Message{
			Client: "op", Topic: hfpTopic(1, i, "R"), Payload: []byte(hfpAt(noon, 1, i)), Received: noon, Trusted: true,
		}, func(err error) { done <- err })
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	h.clock.set(noon.Add(time.Minute))
	for i := range 20 {
		h.sendAll(t, []message{{"box", hfpTopic(1, i, "R"), hfpAt(h.clock.Now(), 1, i)}})
	}
	if n := len(h.storedSeries(t)); n != 20 || len(h.store.rows()) != 40 {
		t.Errorf("%d series in %d rows, want 20 in 40", n, len(h.store.rows()))
	}
}

// TestRouteIsTagOnlyIfTimetableKnowsIt: routes of the timetable are tags, all others a field.
func TestRouteIsTagOnlyIfTimetableKnowsIt(t *testing.T) {
	h := newHarness(t)
	h.network = network.New(geotest.Line(3, time.Hour))
	h.start(t)
	var all []message
	for i := range 100 {
		at := noon.Add(time.Duration(i-200) * time.Second)
		payload := fmt.Sprintf(`{"time":%q,"lat":21,"lon":105.85,"route":"made-up-%d"}`, at.Format(time.RFC3339), i)
		all = append(all, message{"bus", "nhip/in/position/bus", payload})
	}
	h.sendAll(t, all)
	h.accept(t, "nhip/in/position/bus",
		fmt.Sprintf(`{"time":%q,"lat":21,"lon":105.85,"route":"R1"}`, noon.Format(time.RFC3339)))
	if series := h.storedSeries(t); len(series) != 2 || !series["position,agency=hanoi,event=vp,route=R1,vehicle=bus"] {
		t.Errorf("series %v", series)
	}
	if all := strings.Join(h.store.rows(), "\n"); !strings.Contains(all, `reported_route="made-up-99"`) {
		t.Error("the route is not kept as a field")
	}
}

func TestStationHasBoundedPeriods(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	var all []message
	for i := range seriesOfDevice + 50 {
		payload := fmt.Sprintf(`{"time":%q,"period":"%ds","values":{"pm25":1}}`, noon.Format(time.RFC3339), i+1)
		all = append(all, message{"s", "nhip/in/reading/s", payload})
	}
	h.sendAll(t, all)
	if n := len(h.storedSeries(t)); n != seriesOfDevice {
		t.Errorf("%d series of one station, want %d", n, seriesOfDevice)
	}
}

func TestRowsOfSenderAreBounded(t *testing.T) {
	clock := &fakeClock{t: noon}
	known, err := openKnownSeries(filepath.Join(t.TempDir(), "k"), func(func(string)) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	b := newBudget(Budget{RowRate: 1}, known, clock)
	s := sender{name: "box", factor: 1}
	if !b.allowRows(&s, 86_400) || b.allowRows(&s, 10) {
		t.Error("a day's rows are not allowed at once, or more are")
	}
	clock.set(noon.Add(10 * time.Second))
	if !b.allowRows(&s, 10) || b.allowRows(&s, 1) {
		t.Error("the rate does not refill by the clock")
	}
}

// Without a broker that passes on who sent a message, senders of a feed with free topics share a budget.
func TestSenderOfOtherBrokers(t *testing.T) {
	free, own := &feed{}, &feed{}
	free.Feed, own.Feed = decode.Feed{Topic: "/hfp/v2/#"}, decode.Feed{Topic: "nhip/in/position/+"}
	a, b := nhip.Message{Topic: "/hfp/v2/a"}, nhip.Message{Topic: "/hfp/v2/b"}
	if senderOf(&a, free) != senderOf(&b, free) || senderOf(&a, free).factor != wholeFleet {
		t.Error("topics of a free feed are senders")
	}
	if senderOf(&a, own) == senderOf(&b, own) {
		t.Error("devices with topics of their own share a budget")
	}
	a.Account, a.Client, b.Account, b.Client = "box", "box-1", "box", "box-2"
	if senderOf(&a, own) != senderOf(&b, own) {
		t.Error("the clients of one account have a budget each")
	}
}

// One source of GTFS-realtime or of bus boxes carries a whole fleet.
func TestFormatsOfWholeFleetsHaveLargerBudget(t *testing.T) {
	for format, want := range map[string]int{"gtfs-rt": wholeFleet, "ufms-bus": wholeFleet, "ufms": 1, "position": 1} {
		m, f := nhip.Message{Client: "source"}, &feed{Feed: decode.Feed{Topic: "nhip/in/" + format + "/+", Format: format}}
		if s := senderOf(&m, f); s.factor != want || s.name != "source" {
			t.Errorf("%s: %+v, want factor %d", format, s, want)
		}
	}
}

func TestKnownSeriesAreRestoredAndSeeded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "known-series")
	seeds := 0
	open := func() (*knownSeries, error) {
		return openKnownSeries(path, func(visit func(string)) error {
			seeds++
			visit("bus/a/1")
			return nil
		})
	}
	k, err := open()
	if err != nil || len(k.devices) != 1 || seeds != 1 {
		t.Fatalf("%v, %d devices", err, len(k.devices))
	}
	h := seriesHash{k.hash("bus/a/2", ""), k.hash("bus/a/2", "vp")}
	k.add(h)
	if err := k.save(k.order); err != nil {
		t.Fatal(err)
	}
	if k, err = open(); err != nil || seeds != 1 || !k.has(h.series) || len(k.devices) != 2 {
		t.Fatalf("%v, %d devices, %d seeds", err, len(k.devices), seeds)
	}
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err = open(); k == nil || !errors.Is(err, errKnownDamaged) || seeds != 2 {
		t.Errorf("a damaged file: %v", err)
	}
}
