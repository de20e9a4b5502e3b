package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/notify/smtptest"
	"nhip/internal/suitetest"
)

// TestContractOfSimulatedCity drives every operation of the contract on one simulated city: its examples, a request
// that breaks each rule, and random ones.
func TestContractOfSimulatedCity(t *testing.T) {
	p := startDescribedCity(t)
	c, operations := p.API(t), apitest.Operations(t)
	t.Run("examples", func(t *testing.T) { checkExamples(t, c, operations) })
	t.Run("rules", func(t *testing.T) {
		for i := range operations {
			for _, r := range operations[i].Violations() {
				checkRefused(t, c, &r)
			}
		}
		for _, r := range apitest.Methods(apitest.Operations(t)) {
			checkMethod(t, c, &r)
		}
	})
	t.Run("random", func(t *testing.T) {
		const seed = 22
		rnd := rand.New(rand.NewPCG(seed, seed))
		for range suitetest.Pick(1, 400) {
			for i := range operations {
				r := operations[i].Random(rnd, time.Now())
				checkServed(t, c, &r)
			}
		}
	})
}

// startDescribedCity starts a simulated city with what the examples of the contract name.
func startDescribedCity(t *testing.T) *apptest.Platform {
	t.Helper()
	fleet := apptest.WriteFile(t, "fleet.yaml", "devices: [{id: bus-5473, feed: position, secrets: [sha256-"+
		strings.Repeat("0", 64)+"]}]")
	o := apptest.Options(t, t.TempDir(), fmt.Sprintf(`
zones: [{file: %q, kind: district}]
fleet: %q
air: {mail: {host: 127.0.0.1, port: %d, from: nhip@hanoi.example, to: [lan@hanoi.example], plain: true}}
`, apptest.ZoneFile(t, ""), fleet, smtptest.Start(t).Port))
	o.Simulate, o.Buses = true, 20
	p := apptest.Start(t, app.Up, o)
	p.Publish(t, apptest.Position("bad", time.Now(), 91, 105.8))
	c := p.API(t)
	for _, path := range []string{
		"/v1/stations/hn-hoan-kiem", "/v1/stops/HN0505", "/v1/dead?limit=1",
		"/v1/stations/hn-hoan-kiem/readings?quantity=pm25",
	} {
		awaittest.True(t, path, func() bool {
			a := c.Get(t, path, "Authorization", "Bearer "+c.Token)
			return a.Status == http.StatusOK && !strings.Contains(string(a.Body), `"letters":[]`) &&
				!strings.Contains(string(a.Body), `"readings":[]`)
		})
	}
	return p
}

// checkRefused sends a request that breaks a rule. The answer must be a problem that names the field.
func checkRefused(t *testing.T, c *apitest.Client, r *apitest.Request) {
	t.Helper()
	a := c.Send(t, r)
	field, err := problemField(a.Body)
	if a.Status < 400 || a.Status >= 500 || err != nil {
		t.Errorf("%s: %s: answered with %d %.200s", r, r.Breaks, a.Status, a.Body)
		return
	}
	if a.Status == http.StatusBadRequest && r.Field != "" && !namesField(field, r.Field) {
		t.Errorf("%s: %s: the problem names the field %q: %s", r, r.Breaks, field, a.Body)
	}
}

// problemField returns the field that a problem names, or that begins the first description of Open311's list of
// errors.
func problemField(body []byte) (string, error) {
	var errors []struct{ Description string }
	if json.Unmarshal(body, &errors) == nil && len(errors) > 0 {
		field, _, _ := strings.Cut(errors[0].Description, ":")
		return field, nil
	}
	var problem struct{ Field string }
	err := json.Unmarshal(body, &problem)
	return problem.Field, err
}

// namesField reports whether a problem's field is a field, or a part of it.
func namesField(named, field string) bool {
	return named == field || strings.HasPrefix(named, field+".") || strings.HasPrefix(named, field+"[")
}

// checkMethod sends a request with a method that the address does not have.
func checkMethod(t *testing.T, c *apitest.Client, r *apitest.Request) {
	t.Helper()
	a := c.Send(t, r)
	allowed := strings.Split(a.Header.Get("Allow"), ", ")
	if a.Status != http.StatusMethodNotAllowed || !slices.Contains(allowed, r.Operation.Method) ||
		slices.Contains(allowed, r.Method) {
		t.Errorf("%s: answered with %d and Allow: %s", r, a.Status, a.Header.Get("Allow"))
	}
}

// checkServed sends a request that the contract allows. The client checks the answer against the contract, which has
// 503 and no other error of the server.
func checkServed(t *testing.T, c *apitest.Client, r *apitest.Request) {
	t.Helper()
	if a := c.Send(t, r); a.Status >= 500 && a.Status != http.StatusServiceUnavailable {
		t.Errorf("%s: answered with %d %.200s", r, a.Status, a.Body)
	}
}
