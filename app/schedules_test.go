package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nhip"
	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/notify/smtptest"
)

// scheduleAnswer is what the test reads of a schedule.
type scheduleAnswer struct {
	ID, State, Owner string
	Mine             bool
}

// scheduleKeys makes keys and returns the headers by which they identify themselves, by their ids. That of lan sees one
// station.
func scheduleKeys(t *testing.T, p *apptest.Platform) map[string]string {
	t.Helper()
	header := map[string]string{"operator": "Bearer " + p.Token(t)}
	for id, role := range map[string]nhip.Role{"lan": nhip.RoleAnalyst, "minh": nhip.RoleAnalyst, "thu": nhip.RoleViewer} {
		k := client.NewKey{ID: id, Name: id, Role: role}
		if id == "lan" {
			k.Scope.Stations = []string{"hn-01"}
		}
		key, err := p.Client(t).AddKey(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		header[id] = "Bearer " + key.Secret
	}
	return header
}

// checkSchedules makes a schedule of an analyst of one station, and follows its mail. Nobody but the owner and an admin
// may know of it.
func checkSchedules(t *testing.T, p *apptest.Platform, mail *smtptest.Server) {
	t.Helper()
	api, header := p.API(t), scheduleKeys(t, p)
	as := func(who, method, path, body string) (int, scheduleAnswer) {
		t.Helper()
		var a apitest.Answer
		switch method {
		case http.MethodGet:
			a = api.Get(t, path, "Authorization", header[who])
		case http.MethodDelete:
			a = api.Delete(t, path, "Authorization", header[who])
		default:
			a = api.Post(t, path, body, "Authorization", header[who])
		}
		var s scheduleAnswer
		_ = json.Unmarshal(a.Body, &s)
		return a.Status, s
	}
	const report = `{"name":"Tháng","report":"monthly","recipients":["lan@hanoi.example"],"every":"month","day":31,` +
		`"at":"07:30"%s}`
	awaittest.True(t, "the key is known", func() bool {
		status, _ := as("thu", http.MethodGet, "/v1/reviews/reasons", "")
		return status == http.StatusOK
	})
	checkScheduleRefused(t, as, report)
	status, made := as("lan", http.MethodPost, "/v1/schedules", fmt.Sprintf(report, ""))
	if status != http.StatusCreated || made.Owner != "lan" || !made.Mine {
		t.Fatalf("%d %+v", status, made)
	}
	path := "/v1/schedules/" + made.ID
	awaittest.True(t, "the schedule waits", func() bool {
		status, s := as("lan", http.MethodGet, path, "")
		return status == http.StatusOK && s.State == nhip.ScheduleWaiting
	})
	for who, want := range map[string]int{"minh": http.StatusNotFound, "operator": http.StatusOK} {
		if status, s := as(who, http.MethodGet, path, ""); status != want || s.Mine {
			t.Errorf("%s reads it: %d %+v", who, status, s)
		}
	}
	if status, _ := as("minh", http.MethodPost, path+"/send", ""); status != http.StatusNotFound {
		t.Errorf("another analyst sends it: %d", status)
	}
	checkSending(t, mail, made.ID, func() int {
		status, _ := as("lan", http.MethodPost, path+"/send", "")
		return status
	})
	if status, _ := as("lan", http.MethodDelete, path, ""); status != http.StatusNoContent {
		t.Errorf("removing it: %d", status)
	}
	awaittest.True(t, "the schedule is gone", func() bool {
		status, _ := as("operator", http.MethodGet, path, "")
		return status == http.StatusNotFound
	})
	checkScheduleAudit(t, api, header["operator"], made.ID)
}

// checkScheduleRefused makes schedules that nobody may make.
func checkScheduleRefused(
	t *testing.T, as func(who, method, path, body string) (int, scheduleAnswer), report string,
) {
	t.Helper()
	for who, want := range map[string]int{"thu": http.StatusForbidden, "": http.StatusUnauthorized} {
		if status, _ := as(who, http.MethodPost, "/v1/schedules", fmt.Sprintf(report, "")); status != want {
			t.Errorf("%q makes a schedule: %d", who, status)
		}
	}
	if status, _ := as("lan", http.MethodPost, "/v1/schedules", fmt.Sprintf(report, `,"station":"other"`)); status != 400 {
		t.Errorf("a schedule of another station: %d", status)
	}
}

// checkSending asks for a report and waits for its mail.
func checkSending(t *testing.T, mail *smtptest.Server, id string, send func() int) {
	t.Helper()
	before := len(mail.Mails())
	if status := send(); status != http.StatusOK {
		t.Fatalf("sending it: %d", status)
	}
	awaittest.True(t, "the report is mailed", func() bool { return len(mail.Mails()) > before })
	sent := mail.Mails()[before]
	if !strings.Contains(sent.Data, "Message-ID: <schedule."+id) || strings.Join(sent.To, "") != "lan@hanoi.example" {
		t.Errorf("to %q: %.2000s", sent.To, sent.Data)
	}
}

// checkScheduleAudit checks that the audit has who made and who removed a schedule.
func checkScheduleAudit(t *testing.T, api *apitest.Client, admin, id string) {
	t.Helper()
	awaittest.True(t, "the audit has the schedule", func() bool {
		a := api.Get(t, apitest.Query("/v1/audit", "object", "schedule/"+id, "kind", nhip.DocumentSchedule), "Authorization",
			admin)
		return strings.Count(string(a.Body), `"by":"lan"`) == 2
	})
}
