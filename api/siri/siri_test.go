package siri_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
	"nhip/api/siri"

	"github.com/go-chi/chi/v5"
)

func newHandler(c *citytest.City) http.Handler {
	h := &siri.Handler{Transit: c.Transit, Live: c.Live, Clock: c.Clock, Responder: c.Responder}
	r := chi.NewRouter()
	h.Routes(r)
	return r
}

// delivery is what programs read of an answer.
type delivery struct {
	ResponseTimestamp, ValidUntil string
	ErrorCondition                *struct{ Description string }
	MonitoredStopVisit            []visit
	VehicleActivity               []visit
}

type visit struct {
	RecordedAtTime          string
	MonitoredVehicleJourney struct {
		LineRef, DirectionRef, PublishedLineName, OperatorRef, DestinationName, VehicleRef string
		ProgressRate, ProgressStatus, Occupancy, BlockRef, OriginAimedDepartureTime        string
		FramedVehicleJourneyRef                                                            map[string]string
		Monitored                                                                          bool
		VehicleLocation                                                                    *place
		SituationRef                                                                       []map[string]string
		MonitoredCall                                                                      call
		OnwardCalls                                                                        *struct{ OnwardCall []call }
	}
}

type place struct{ Longitude, Latitude float64 }

type call struct {
	StopPointRef, ExpectedArrivalTime, AimedArrivalTime, ArrivalStatus string
	VisitNumber                                                        int
	Extensions                                                         *struct {
		Distances struct {
			StopsFromCall       int
			DistanceFromCall    float64
			PresentableDistance string
		}
	}
}

// get returns the delivery of a request, and the situations beside it.
func get(t *testing.T, h http.Handler, path string) (d delivery, situations int) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/siri/lite/"+path, nil))
	var body struct {
		Siri struct {
			ServiceDelivery struct {
				StopMonitoringDelivery, VehicleMonitoringDelivery []delivery
				SituationExchangeDelivery                         []struct {
					Situations struct{ PtSituationElement []any }
				}
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %v", path, w.Code, err)
	}
	s := body.Siri.ServiceDelivery
	all := slices.Concat(s.StopMonitoringDelivery, s.VehicleMonitoringDelivery)
	if len(all) != 1 {
		t.Fatalf("%s: %d deliveries", path, len(all))
	}
	for _, x := range s.SituationExchangeDelivery {
		situations += len(x.Situations.PtSituationElement)
	}
	return all[0], situations
}

// journeyOf returns the visit of a trip.
func (d *delivery) journeyOf(trip string) *visit {
	for _, all := range [][]visit{d.MonitoredStopVisit, d.VehicleActivity} {
		for i := range all {
			if all[i].MonitoredVehicleJourney.FramedVehicleJourneyRef["DatedVehicleJourneyRef"] == trip {
				return &all[i]
			}
		}
	}
	return nil
}

func TestStopMonitoring(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0") // 5.5 km along at eight
	city.Report(t, []nhip.TripUpdate{{Trip: "T9-0", Relationship: nhip.TripCanceled}}, []nhip.ServiceAlert{{
		ID: "detour", Header: []nhip.Translation{{Text: "Đi vòng"}}, Informed: []nhip.InformedEntity{{Route: "R1"}},
	}})
	h := newHandler(city)
	d, situations := get(t, h, "stop-monitoring.json?MonitoringRef=HN_S15&StopMonitoringDetailLevel=calls&key=any")
	v := d.journeyOf("HN_T7-0")
	if v == nil {
		t.Fatalf("%+v", d)
	}
	j := &v.MonitoredVehicleJourney
	if j.LineRef != "HN_R1" || j.PublishedLineName != "01" || !j.Monitored || j.VehicleRef != "HN_29B-1" ||
		j.Occupancy != "seatsAvailable" || j.ProgressRate != "normalProgress" || j.VehicleLocation == nil ||
		j.FramedVehicleJourneyRef["DataFrameRef"] != "2026-03-02" || j.BlockRef != "HN_B7" {
		t.Errorf("a bus on the way: %+v", j)
	}
	c := j.MonitoredCall
	if c.StopPointRef != "HN_S15" || c.AimedArrivalTime != "2026-03-02T08:07:30.000+07:00" ||
		c.ExpectedArrivalTime >= c.AimedArrivalTime || c.ExpectedArrivalTime < "2026-03-02T08:01" || c.VisitNumber != 1 {
		t.Errorf("its call: %+v", c)
	}
	if x := c.Extensions.Distances; x.StopsFromCall != 3 || x.PresentableDistance != "3 stops away" ||
		x.DistanceFromCall < 1900 {
		t.Errorf("its distance: %+v", x)
	}
	if n := len(j.OnwardCalls.OnwardCall); n != 5 {
		t.Errorf("%d onward calls", n)
	}
	if len(j.SituationRef) != 1 || situations != 1 {
		t.Errorf("situations %v, %d", j.SituationRef, situations)
	}
	if x := d.journeyOf("HN_T9-0"); x == nil || x.MonitoredVehicleJourney.MonitoredCall.ArrivalStatus != "cancelled" {
		t.Errorf("a canceled trip: %+v", x)
	}
	if x := d.journeyOf("HN_T8-0"); x == nil || x.MonitoredVehicleJourney.Monitored ||
		x.MonitoredVehicleJourney.MonitoredCall.ExpectedArrivalTime != "" ||
		x.MonitoredVehicleJourney.OriginAimedDepartureTime != "2026-03-02T08:00:00.000+07:00" {
		t.Errorf("a trip without a bus: %+v", x)
	}
	if x := d.journeyOf("HN_T7-1"); x == nil || x.MonitoredVehicleJourney.ProgressStatus != "prevTrip" {
		t.Errorf("the next trip of the bus: %+v", x)
	}
}

func TestFiltersOfStopMonitoring(t *testing.T) {
	city, _ := citytest.NewLine(t)
	h := newHandler(city)
	for query, want := range map[string]int{
		"MonitoringRef=HN_S15&DirectionRef=0&MaximumStopVisits=3":                            3,
		"MonitoringRef=HN_S15&LineRef=HN_R1&MaximumStopVisits=2":                             2,
		"MonitoringRef=HN_S15&LineRef=R1&MaximumStopVisits=2":                                2,
		"MonitoringRef=HN_S15&LineRef=HN_other":                                              0,
		"MonitoringRef=HN_S15&OperatorRef=other":                                             0,
		"MonitoringRef=S15&OperatorRef=HN&MaximumStopVisits=1":                               1,
		"MonitoringRef=S15&MaximumStopVisits=1":                                              1,
		"MonitoringRef=HN_S15&MaximumStopVisits=1&MinimumStopVisitsPerLine=4&DirectionRef=1": 4,
		"MonitoringRef=HN_S15&MaximumStopVisits=0":                                           0,
		"MonitoringRef=HN_S15&MaximumStopVisits=99999999&DirectionRef=0&LineRef=HN_R1,x":     9,
	} {
		d, _ := get(t, h, "stop-monitoring.json?"+query)
		if d.ErrorCondition != nil || len(d.MonitoredStopVisit) != want {
			t.Errorf("%s: %d visits, want %d; %v", query, len(d.MonitoredStopVisit), want, d.ErrorCondition)
		}
	}
}

// TestErrorsAreConditions: an answer to a wrong request has status 200 and a condition.
func TestErrorsAreConditions(t *testing.T) {
	city, _ := citytest.NewLine(t)
	h := newHandler(city)
	for path, want := range map[string]string{
		"stop-monitoring.json":                                                    "MonitoringRef",
		"stop-monitoring.json?MonitoringRef=none":                                 "MonitoringRef",
		"stop-monitoring.json?MonitoringRef=HN_S1&MaximumStopVisits=x":            "MaximumStopVisits",
		"stop-monitoring.json?MonitoringRef=HN_S1&DirectionRef=2":                 "DirectionRef",
		"stop-monitoring.json?MonitoringRef=HN_S1&StopMonitoringDetailLevel=much": "StopMonitoringDetailLevel",
		"vehicle-monitoring.json?MaximumNumberOfCallsOnwards=-1":                  "MaximumNumberOfCallsOnwards",
		"vehicle-monitoring.json?VehicleMonitoringDetailLevel=":                   "",
	} {
		d, _ := get(t, h, path)
		switch {
		case want == "" && d.ErrorCondition != nil:
			t.Errorf("%s: %v", path, d.ErrorCondition)
		case want != "" && (d.ErrorCondition == nil || !strings.Contains(d.ErrorCondition.Description, want)):
			t.Errorf("%s: %+v", path, d)
		}
	}
}

func TestVehicleMonitoring(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0")
	h := newHandler(city)
	for query, want := range map[string]int{
		"": 1, "VehicleRef=HN_29B-1": 1, "VehicleRef=29B-1": 1, "VehicleRef=none": 0, "LineRef=HN_R1": 1, "LineRef=x": 0,
		"DirectionRef=1": 0,
	} {
		d, _ := get(t, h, "vehicle-monitoring.json?"+query)
		if len(d.VehicleActivity) != want {
			t.Errorf("%q: %d activities", query, len(d.VehicleActivity))
		}
	}
	city.Clock.Set(citytest.Eight.Add(10 * time.Minute)) // the bus is silent
	d, _ := get(t, h, "vehicle-monitoring.json?VehicleMonitoringDetailLevel=calls&MaximumNumberOfCallsOnwards=2")
	j := d.VehicleActivity[0].MonitoredVehicleJourney
	if j.Monitored || j.ProgressRate != "unknown" || len(j.OnwardCalls.OnwardCall) != 2 ||
		j.MonitoredCall.ExpectedArrivalTime != "" {
		t.Errorf("a silent bus: %+v", j)
	}
}

// TestFieldsAreThoseOfTheMTA compares the names of our fields with those of an answer in the MTA's form.
func TestFieldsAreThoseOfTheMTA(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the example is missing")
	}
	raw, err := os.ReadFile(filepath.Join(data, "schemas", "siri", "example-sm-mta1.json"))
	if err != nil {
		t.Fatal(err)
	}
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0")
	w := httptest.NewRecorder()
	newHandler(city).ServeHTTP(w, httptest.NewRequest(http.MethodGet,
		"/siri/lite/stop-monitoring.json?MonitoringRef=HN_S15", nil))
	ours, theirs := paths(t, w.Body.Bytes()), paths(t, raw)
	for path := range theirs {
		if !ours[path] {
			t.Errorf("we have no %s", path)
		}
	}
}

// paths returns the paths of all fields in JSON; elements of arrays share theirs.
func paths(t *testing.T, raw []byte) map[string]bool {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]bool)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch x := v.(type) {
		case map[string]any:
			for key, y := range x {
				out[path+"/"+key] = true
				walk(path+"/"+key, y)
			}
		case []any:
			for _, y := range x {
				walk(path, y)
			}
		}
	}
	walk("", v)
	return out
}
