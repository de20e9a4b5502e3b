package app_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
)

var updateExamples = flag.Bool("update-examples", false, "write the answers of the examples into api/openapi.yaml")

const contractFile = "../api/openapi.yaml"

// absent are the operations whose example names what a city may lack. The answer is 404 then.
var absent = []string{
	"ackAlert", "getBasemap", "signInByLink", "undoReview", "open311Photo", "getQueuedPhoto", "signInAtIssuer",
	"finishSignIn", "getAlertAsCAP",
}

// checkExamples sends the example of every operation, and each of its optional parameters. The answers must be those
// that the contract describes, and the contract must have an example of each answer in JSON.
func checkExamples(t *testing.T, c *apitest.Client, operations []apitest.Operation) {
	t.Helper()
	answers := make(map[string]string)
	for i := range operations {
		o := &operations[i]
		r := o.Example()
		if find := finders[o.ID]; find != nil {
			find(t, c, &r)
		}
		a := c.Send(t, &r)
		if a.Status >= 400 && (a.Status != http.StatusNotFound || !slices.Contains(absent, o.ID)) {
			t.Errorf("%s: the example %s is answered with %d %.300s", o.ID, &r, a.Status, a.Body)
		}
		if a.Status < 400 && strings.Contains(a.Header.Get("Content-Type"), "json") && o.ID != "ogcAPI" {
			answers[o.ID] = string(a.Body)
		}
		for _, r := range o.Optional(&r) {
			if a := c.Send(t, &r); a.Status >= 400 && a.Status != http.StatusNotFound {
				t.Errorf("%s: the example %s is answered with %d %.300s", o.ID, &r, a.Status, a.Body)
			}
		}
	}
	if *updateExamples {
		writeExamples(t, answers, c.Base())
		return
	}
	described := apitest.AnswerExamples(t)
	for id := range answers {
		if !described[id] {
			t.Errorf("%s: the answer has no example: "+
				"go test ./app -run TestContractOfSimulatedCity -update-examples writes it", id)
		}
	}
}

// finders set what an example names and each city has under another name.
var finders = map[string]func(*testing.T, *apitest.Client, *apitest.Request){
	"showDead": func(t *testing.T, c *apitest.Client, r *apitest.Request) { r.Path["id"] = firstDeadLetter(t, c) },
	"signIn":   func(_ *testing.T, c *apitest.Client, r *apitest.Request) { r.Body = fmt.Sprintf(`{"key":%q}`, c.Token) },
	"getBus": func(t *testing.T, c *apitest.Client, r *apitest.Request) {
		var found struct {
			Features []struct {
				Properties struct{ Agency, ID string }
			}
		}
		apptest.Decode(t, c.Get(t, "/v1/buses"), &found)
		r.Path["agency"], r.Path["id"] = found.Features[0].Properties.Agency, found.Features[0].Properties.ID
	},
	"listAllReadings": func(_ *testing.T, _ *apitest.Client, r *apitest.Request) {
		r.Query.Set("stations", "hn-hoan-kiem") // the readings of all since the day of the example are too many
	},
	"removeKey":         setNewKey,
	"rotateKey":         setNewKey,
	"listSchedules":     setNewSchedule,
	"getSchedule":       setNewSchedule,
	"changeSchedule":    setNewSchedule,
	"removeSchedule":    setNewSchedule,
	"sendSchedule":      setNewSchedule,
	"removeDevice":      setNewDevice,
	"disableDevice":     setNewDevice,
	"enableDevice":      setNewDevice,
	"rotateDevice":      setNewDevice,
	"open311GetRequest": setNewReport,
	"open311GetToken":   setNewReport,
	"getQueued":         setNewReport,
	"changeQueued":      setNewReport,
	"listDayArrivals":   setToday,
	"removeCalibration": func(t *testing.T, c *apitest.Client, r *apitest.Request) {
		const body = `{"quantity":"pm10","valid_from":"2026-02-16T00:00:00Z","slope":1.05,"why":"compared"}`
		var made struct{ Lines []struct{ ID string } }
		a := c.Post(t, "/v1/stations/hn-hoan-kiem/calibrations", body, "Authorization", "Bearer "+c.Token)
		if err := json.Unmarshal(a.Body, &made); err != nil || a.Status != http.StatusCreated {
			t.Fatalf("%d %s: %v", a.Status, a.Body, err)
		}
		r.Path["line"] = made.Lines[0].ID
	},
	"createServiceAlert": func(_ *testing.T, _ *apitest.Client, r *apitest.Request) {
		r.Body = newServiceAlert("published", `"id":"LINE01DETOUR",`)
	},
	"previewServiceAlert": func(_ *testing.T, _ *apitest.Client, r *apitest.Request) {
		r.Body = newServiceAlert("published", "")
	},
	"getServiceAlert":    setNewServiceAlert,
	"changeServiceAlert": setNewServiceAlert,
	"deleteServiceAlert": setNewServiceAlert,
	"endServiceAlert":    setNewServiceAlert,
	"createReminder": func(t *testing.T, c *apitest.Client, r *apitest.Request) {
		r.Body = fmt.Sprintf(`{%s,"form_token":%q}`, exampleReminder, reminderToken(t, c))
	},
	"reminderEvents": func(t *testing.T, c *apitest.Client, r *apitest.Request) {
		set := remind(t, c, exampleReminder)
		r.Query.Set("reminders", set.ID+"."+set.Token)
	},
	"getReminder":      setNewReminder,
	"deleteReminder":   setNewReminder,
	"listDayPositions": setToday,
	"getTidesPackage":  setDayThatIsOver,
	"getTidesTable":    setDayThatIsOver,
	"getValue": func(t *testing.T, c *apitest.Client, r *apitest.Request) {
		var found struct {
			Readings []struct{ Time, Quantity, Period string }
		}
		apptest.Decode(t, c.Get(t, "/v1/stations/hn-hoan-kiem/readings?quantity=pm25"), &found)
		newest := found.Readings[len(found.Readings)-1]
		r.Query.Set("time", newest.Time)
	},
}

// setNewKey sets the id of a path to that of a key of its own: what is removed or rotated is not needed elsewhere.
func setNewKey(t *testing.T, c *apitest.Client, r *apitest.Request) {
	r.Path["id"] = created(t, c, "/v1/keys", `{"name":"depot","role":"app"}`)
}

// setNewDevice sets the id of a path to that of a device of its own.
func setNewDevice(t *testing.T, c *apitest.Client, r *apitest.Request) {
	id := created(t, c, "/v1/devices", fmt.Sprintf(`{"id":"new-%s","feed":"position"}`, r.Operation.ID))
	awaittest.True(t, "the gateway has the device "+id, func() bool {
		return c.Get(t, "/v1/devices/"+id, "Authorization", "Bearer "+c.Token).Status == http.StatusOK
	})
	r.Path["id"] = id
}

// newServiceAlert returns the body of an alert of a line and a stop that holds for a day.
func newServiceAlert(status, more string) string {
	return fmt.Sprintf(`{%s"agency":"hanoi","status":%q,"cause":"CONSTRUCTION","effect":"DETOUR","severity":"WARNING",
"header":{"vi":"Tuyến 01 đi vòng","en":"Line 01 is diverted"},
"periods":[{"to":%q}],"informed":[{"route":"01"},{"stop":"HN0505"}]}`,
		more, status, time.Now().Add(24*time.Hour).Format(time.RFC3339))
}

// setNewServiceAlert sets the id of a path to that of an alert of its own: a draft if the operation needs one.
func setNewServiceAlert(t *testing.T, c *apitest.Client, r *apitest.Request) {
	status := "published"
	if r.Operation.ID == "deleteServiceAlert" {
		status = "draft"
	}
	r.Path["id"] = created(t, c, "/v1/service-alerts", newServiceAlert(status, ""))
	if r.Operation.ID == "changeServiceAlert" {
		r.Body = newServiceAlert(status, `"version":1,`)
	}
}

// setNewSchedule sets the id of a path to that of a schedule of its own, which the api knows.
func setNewSchedule(t *testing.T, c *apitest.Client, r *apitest.Request) {
	id := created(t, c, "/v1/schedules",
		`{"name":"Mỗi ngày","report":"exceedances","recipients":["lan@hanoi.example"],"every":"day","at":"07:30"}`)
	awaittest.True(t, "the api has the schedule "+id, func() bool {
		return c.Get(t, "/v1/schedules/"+id, "Authorization", "Bearer "+c.Token).Status == http.StatusOK
	})
	r.Path["id"] = id
}

// exampleReminder is the fields of a reminder besides the token of a page.
const exampleReminder = `"kind":"leave","stop":"HN0505","line":"01","walk_s":360`

// setNewReminder sets the id of a path, and the token, to those of a reminder of its own.
func setNewReminder(t *testing.T, c *apitest.Client, r *apitest.Request) {
	set := remind(t, c, exampleReminder)
	r.Path["id"] = set.ID
	r.Header.Set("Reminder-Token", set.Token)
}

// created posts a body and returns the id in the answer.
func created(t *testing.T, c *apitest.Client, path, body string) string {
	t.Helper()
	var answer struct{ ID string }
	a := c.Post(t, path, body, "Authorization", "Bearer "+c.Token)
	if err := json.Unmarshal(a.Body, &answer); err != nil || a.Status != http.StatusCreated {
		t.Fatalf("%s: %d %s", path, a.Status, a.Body)
	}
	return answer.ID
}

// setNewReport sets the id or the token of a path to that of a report of its own.
func setNewReport(t *testing.T, c *apitest.Client, r *apitest.Request) {
	awaitReports(t, c)
	body := fmt.Sprintf(`{"service_code":"smoke","lat":%f,"long":105.85,"description":"khói","form_token":%q}`,
		21+0.001*float64(len(r.Operation.ID)), formToken(t, c))
	a := c.Post(t, "/open311/v2/requests.json", body)
	id := createdReport(t, a.Status, a.Body)
	r.Path["id"], r.Path["token"] = id, id
	awaittest.True(t, "the report is in the queue", func() bool {
		return c.Get(t, "/v1/queue/"+id, "Authorization", "Bearer "+c.Token).Status == http.StatusOK
	})
}

// setToday sets the day of a path to a local day that has begun: the city's is ahead of UTC.
func setToday(_ *testing.T, _ *apitest.Client, r *apitest.Request) {
	r.Path["date"] = time.Now().UTC().Format(time.DateOnly)
}

// setDayThatIsOver sets the day of a path to a service date that has ended everywhere.
func setDayThatIsOver(_ *testing.T, _ *apitest.Client, r *apitest.Request) {
	r.Path["date"] = time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)
}

func firstDeadLetter(t *testing.T, c *apitest.Client) string {
	t.Helper()
	var page struct{ Letters []struct{ ID string } }
	apptest.Decode(t, c.Get(t, "/v1/dead?limit=1", "Authorization", "Bearer "+c.Token), &page)
	if len(page.Letters) == 0 {
		t.Fatal("there is no dead letter")
	}
	return page.Letters[0].ID
}

// writeExamples writes answers into the contract: into components, and a reference where each is described.
func writeExamples(t *testing.T, answers map[string]string, base string) {
	t.Helper()
	raw, err := os.ReadFile(contractFile)
	if err != nil {
		t.Fatal(err)
	}
	var out, examples bytes.Buffer
	operation, success, skip := "", false, false
	lines := strings.SplitAfter(string(raw), "\n")
	for i, line := range lines {
		inside := skip && (strings.HasPrefix(line, "    ") || line == "\n")
		if skip = inside || line == "  examples:\n"; skip {
			continue
		}
		if id, found := strings.CutPrefix(line, "      operationId: "); found {
			operation, success = strings.TrimSpace(id), false
		}
		if strings.HasPrefix(line, `        "`) {
			success = strings.HasPrefix(line, `        "2`)
		}
		if strings.HasPrefix(line, "              examples: {city: ") && success {
			continue // of the last time
		}
		out.WriteString(line)
		media := strings.TrimSpace(line)
		if answer := answers[operation]; answer != "" && success && strings.HasPrefix(line, "            ") &&
			(media == "application/json:" || media == "application/geo+json:") && i+1 < len(lines) {
			fmt.Fprintf(&out, "              examples: {city: {$ref: \"#/components/examples/%s\"}}\n", operation)
			writeExample(t, &examples, operation, strings.ReplaceAll(answer, base, "http://localhost:8080"))
			delete(answers, operation)
		}
	}
	text := strings.Replace(out.String(), "\n  schemas:\n", "\n  examples:\n"+examples.String()+"  schemas:\n", 1)
	if err := os.WriteFile(contractFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeExample(t *testing.T, to *bytes.Buffer, id, answer string) {
	t.Helper()
	const indent = "        "
	if !json.Valid([]byte(answer)) {
		t.Fatalf("%s: %s", id, answer)
	}
	trimmed, err := apitest.Trim([]byte(answer), 120-len(indent))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(to, "    %s:\n      value:\n%s%s\n", id, indent, strings.ReplaceAll(trimmed, "\n", "\n"+indent))
}
