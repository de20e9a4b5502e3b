package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/client"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// described is a server that checks each request against the contract and answers with the contract's example.
type described struct {
	t      *testing.T
	router routers.Router
	route  *routers.Route // of the last request
}

func (d *described) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route, params, err := d.router.FindRoute(r)
	if err != nil {
		d.t.Errorf("%s %s is not in the contract", r.Method, r.URL)
		http.NotFound(w, r)
		return
	}
	d.route = route
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		d.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	media := d.answer()
	if media == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	example := media.Example
	for _, e := range media.Examples {
		example = e.Value.Value
	}
	if list, isObject := example.(map[string]any); isObject {
		delete(list, "next") // the client would ask for more
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(example)
}

// answer returns the description of the successful answer of the last request, nil if it has no body.
func (d *described) answer() *openapi3.MediaType {
	for _, status := range []string{"200", "201"} {
		if answer := d.route.Operation.Responses.Value(status); answer != nil {
			for _, format := range []string{"application/json", "application/geo+json"} {
				if media := answer.Value.Content[format]; media != nil && (media.Example != nil || len(media.Examples) > 0) {
					return media
				}
			}
		}
	}
	if d.route.Operation.Responses.Value("204") != nil {
		return nil
	}
	d.t.Fatalf("%s has no example of its answer", d.route.Operation.OperationID)
	return nil
}

// TestMethodsFollowTheContract calls every method. Its request must be one of the contract, and it must take the answer
// that the contract shows. What it returns must not be empty where the example is not.
func TestMethodsFollowTheContract(t *testing.T) {
	raw, err := os.ReadFile("../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	d := &described{t: t, router: router}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	called := make(map[string]bool)
	for name, call := range calls(c) {
		d.route = nil
		result, err := call(t.Context())
		if err != nil || d.route == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		called[d.route.Operation.OperationID] = true
		if media := d.answer(); media != nil && result != nil {
			checkKnown(t, name, result, media.Schema.Value)
		}
	}
	checkLeftOut(t, doc, called)
}

// leftOut are the operations under /v1 that the client does not call, besides those that anybody may read: the app and
// the web map read these with what their platforms have for GeoJSON and streams.
var leftOut = map[string]string{
	"getMonthlyReport": "a table to print, as CSV and HTML, too", "liveAlerts": "a stream of events",
	"alertsFeed": "for programs of CAP", "alertsFeedOfCAP": "for programs of CAP", "getAlertAsCAP": "for programs of CAP",
	"listReviewReasons": "texts for a form", "getValue": "what a screen of staff shows of one value",
	"getSession": "of browsers", "signIn": "of browsers", "signOut": "of browsers",
	"listQueue": "of the web page for reports", "liveQueue": "a stream of events",
	"getQueued": "of the web page for reports", "changeQueued": "of the web page for reports",
	"getQueuedPhoto": "of the web page for reports",
	"createReminder": "of riders' pages and apps", "deleteReminder": "of riders' pages and apps",
}

// checkLeftOut checks that every operation for staff has a method, or is left out on purpose.
func checkLeftOut(t *testing.T, doc *openapi3.T, called map[string]bool) {
	t.Helper()
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			roles, _ := o.Extensions["x-roles"].([]any)
			forStaff := strings.HasPrefix(path, "/v1/") && (method != http.MethodGet || !slices.Contains(roles, any("public")))
			_, left := leftOut[o.OperationID]
			if forStaff && called[o.OperationID] == left {
				t.Errorf("%s %s (%s): called %t, left out %t", method, path, o.OperationID, called[o.OperationID], left)
			}
		}
	}
}

// checkKnown checks that the fields of an answer, where its type is the answer's, are those of the contract.
func checkKnown(t *testing.T, name string, result any, s *openapi3.Schema) {
	t.Helper()
	raw, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	if feature := s.Properties["properties"]; feature != nil {
		s = &openapi3.Schema{Properties: feature.Value.Properties} // of GeoJSON, the client has some of the properties
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || len(s.Properties) == 0 {
		return // a list out of the answer
	}
	for field := range fields {
		if s.Properties[field] == nil {
			t.Errorf("%s returns the field %s, which the contract lacks", name, field)
		}
	}
	for _, field := range s.Required {
		if fields[field] == nil {
			t.Errorf("%s returns no %s, which the contract requires", name, field)
		}
	}
}

// detour returns the content of a service alert.
func detour(from, to time.Time) client.ServiceAlertText {
	both := nhip.LocalizedText{Vi: "Đi vòng", En: "Detour"}
	return client.ServiceAlertText{
		Agency: "hanoi", Status: nhip.AlertPublished, Cause: "CONSTRUCTION", Effect: "DETOUR", Severity: "INFO",
		Header: both, Description: both, Periods: []nhip.Period{{From: from, To: to}},
		Informed: []nhip.InformedEntity{{Route: "01"}},
	}
}

// exceedances returns a report that is mailed each day.
func exceedances() client.NewSchedule {
	return client.NewSchedule{
		Name: "Mỗi ngày", Report: nhip.ReportExceedances, Station: "hn-hoan-kiem", Lang: "vi",
		Recipients: []string{"lan@hanoi.example"}, Every: nhip.EveryDay, At: "07:30", Active: nhip.Some(true),
	}
}

// calls returns a call of each method of the client, with all of its parameters.
func calls(c *client.Client) map[string]func(context.Context) (any, error) {
	from := time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)
	to := from.Add(24 * time.Hour)
	return map[string]func(context.Context) (any, error){
		"Alerts": func(ctx context.Context) (any, error) { return c.Alerts(ctx) },
		"AckAlert": func(ctx context.Context) (any, error) {
			return c.AckAlert(ctx, "smog.hn-hoan-kiem", "Lan", "on the way")
		},
		"DeadLetters": func(ctx context.Context) (any, error) {
			return c.DeadLetters(ctx, client.DeadLetterQuery{
				Collector: "main", Device: "air/a", Code: nhip.CodeOutOfRange, From: from, To: to, Limit: 5, After: "x",
			})
		},
		"DeadLetter": func(ctx context.Context) (any, error) { return c.DeadLetter(ctx, "main", "1-2.0") },
		"ReplayDeadLetters": func(ctx context.Context) (any, error) {
			return c.ReplayDeadLetters(ctx, "main", []string{"1-2.0"})
		},
		"Devices": func(ctx context.Context) (any, error) {
			return c.Devices(ctx, client.DeviceQuery{Limit: 5, After: "a"})
		},
		"Device": func(ctx context.Context) (any, error) { return c.Device(ctx, "bus 5473/ç") },
		"Ledger": func(ctx context.Context) (any, error) {
			return c.Ledger(ctx, client.LedgerQuery{
				Collector: "main", Device: "air/a", From: from, To: to, Verify: true, Limit: 5, After: "x",
			})
		},
		"Recompute": func(ctx context.Context) (any, error) {
			return c.Recompute(ctx, nhip.RecomputeQuery{Station: "a", From: from, To: to})
		},
		"RecomputeProgress": func(ctx context.Context) (any, error) { return c.RecomputeProgress(ctx, "a") },
		"Readings": func(ctx context.Context) (any, error) {
			var rows []*client.ReadingRow
			for row, err := range c.Readings(ctx, client.ReadingQuery{Station: "hn-hoan-kiem", From: from, To: to}) {
				if err != nil {
					return nil, err
				}
				rows = append(rows, row)
			}
			return rows, nil
		},
		"Indices": func(ctx context.Context) (any, error) {
			return c.Indices(ctx, client.IndexQuery{Station: "a", From: from, To: to})
		},
		"Exceedances": func(ctx context.Context) (any, error) {
			return c.Exceedances(ctx, client.ExceedanceQuery{Station: "a", From: from, To: to})
		},
		"Station":        func(ctx context.Context) (any, error) { return c.Station(ctx, "a") },
		"Retention":      func(ctx context.Context) (any, error) { return c.Retention(ctx) },
		"ApplyRetention": func(ctx context.Context) (any, error) { return c.ApplyRetention(ctx) },
		"CreateReview": func(ctx context.Context) (any, error) {
			return c.CreateReview(ctx, client.NewReview{
				Station: "a", Quantity: nhip.PM25, From: from, To: to, Action: nhip.ActionAnnotate, By: "Lan", Why: "fog",
			})
		},
		"Reviews":    func(ctx context.Context) (any, error) { return c.Reviews(ctx, "a") },
		"UndoReview": func(ctx context.Context) (any, error) { return c.UndoReview(ctx, "a", "Lan", "no fog") },
		"PreviewReview": func(ctx context.Context) (any, error) {
			return c.PreviewReview(ctx, client.NewReview{
				Station: "a", Quantity: nhip.PM25, From: from, To: to, Action: nhip.ActionExclude,
			})
		},
		"PreviewUndo":  func(ctx context.Context) (any, error) { return c.PreviewUndo(ctx, "a") },
		"Calibrations": func(ctx context.Context) (any, error) { return c.Calibrations(ctx, "a/b") },
		"AddCalibration": func(ctx context.Context) (any, error) {
			return c.AddCalibration(ctx, "a", client.NewCalibration{
				Quantity: nhip.PM25, ValidFrom: from, Slope: 1.1, Why: "compared",
			})
		},
		"RemoveCalibration": func(ctx context.Context) (any, error) { return nil, c.RemoveCalibration(ctx, "a", "pm25-1") },
		"PreviewCalibration": func(ctx context.Context) (any, error) {
			line := client.NewCalibration{Quantity: nhip.PM25, ValidFrom: from, Slope: 1.1}
			return c.PreviewCalibration(ctx, "a", line, from, to)
		},
		"PreviewRemoval": func(ctx context.Context) (any, error) { return c.PreviewRemoval(ctx, "a", "pm25-1", from, to) },
		"Audit": func(ctx context.Context) (any, error) {
			return c.Audit(ctx, client.AuditQuery{
				Who: "Lan", Kind: "review", Object: "station/a", From: from, To: to, Limit: 5,
			})
		},
		"FleetChanges": func(ctx context.Context) (any, error) { return c.FleetChanges(ctx) },
		"AddDevice": func(ctx context.Context) (any, error) {
			return c.AddDevice(ctx, client.NewDevice{ID: "a", Feed: "position"})
		},
		"RotateDevice":      func(ctx context.Context) (any, error) { return c.RotateDevice(ctx, "a") },
		"EndDeviceRotation": func(ctx context.Context) (any, error) { return nil, c.EndDeviceRotation(ctx, "a") },
		"DisableDevice":     func(ctx context.Context) (any, error) { return nil, c.DisableDevice(ctx, "a") },
		"EnableDevice":      func(ctx context.Context) (any, error) { return nil, c.EnableDevice(ctx, "a") },
		"RemoveDevice":      func(ctx context.Context) (any, error) { return nil, c.RemoveDevice(ctx, "a") },
		"Keys":              func(ctx context.Context) (any, error) { return c.Keys(ctx) },
		"AddKey": func(ctx context.Context) (any, error) {
			return c.AddKey(ctx, client.NewKey{Name: "depot", Role: nhip.RoleApp})
		},
		"RotateKey":          func(ctx context.Context) (any, error) { return c.RotateKey(ctx, "a") },
		"RemoveKey":          func(ctx context.Context) (any, error) { return c.RemoveKey(ctx, "a") },
		"DeleteServiceAlert": func(ctx context.Context) (any, error) { return nil, c.DeleteServiceAlert(ctx, "DETOUR01") },
		"WriteServiceAlert": func(ctx context.Context) (any, error) {
			return c.WriteServiceAlert(ctx, client.NewServiceAlert{ID: "DETOUR01", ServiceAlertText: detour(from, to)})
		},
		"ChangeServiceAlert": func(ctx context.Context) (any, error) {
			return c.ChangeServiceAlert(ctx, "DETOUR01", 1, detour(from, to))
		},
		"PreviewServiceAlert": func(ctx context.Context) (any, error) {
			return c.PreviewServiceAlert(ctx, detour(from, to))
		},
		"EndServiceAlert":     func(ctx context.Context) (any, error) { return c.EndServiceAlert(ctx, "DETOUR01") },
		"WrittenServiceAlert": func(ctx context.Context) (any, error) { return c.WrittenServiceAlert(ctx, "DETOUR01") },
		"WrittenServiceAlerts": func(ctx context.Context) (any, error) {
			return c.WrittenServiceAlerts(ctx, "draft", "hanoi")
		},
		"ServiceAlerts": func(ctx context.Context) (any, error) {
			return c.ServiceAlerts(ctx, client.ServiceAlertQuery{Stop: "HN0505", Upcoming: true})
		},
		"Schedules":   func(ctx context.Context) (any, error) { return c.Schedules(ctx) },
		"Schedule":    func(ctx context.Context) (any, error) { return c.Schedule(ctx, "a/b") },
		"AddSchedule": func(ctx context.Context) (any, error) { return c.AddSchedule(ctx, exceedances()) },
		"ChangeSchedule": func(ctx context.Context) (any, error) {
			return c.ChangeSchedule(ctx, "a", exceedances())
		},
		"SendSchedule":   func(ctx context.Context) (any, error) { return c.SendSchedule(ctx, "a") },
		"RemoveSchedule": func(ctx context.Context) (any, error) { return nil, c.RemoveSchedule(ctx, "a") },
	}
}
