package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/durable"
	"nhip/internal/fleet"
	"nhip/internal/sim"
)

// writeSimulatedFleet writes the names of the simulated stations to the data folder, unless there is a fleet.
func (r *runtime) writeSimulatedFleet() {
	path, optional := FleetPath(&r.conf, r.dir.Path())
	if !r.options.Simulate || !optional {
		return
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	var b strings.Builder
	b.WriteString("# The stations of the simulated city.\nstations:\n")
	for _, s := range sim.NamedStations() {
		kind := fleet.LowCost
		if s.Reference {
			kind = fleet.Reference
		}
		fmt.Fprintf(&b, "  - {id: %s, name: {vi: %q}, kind: %s, period: 5m}\n", s.ID, s.Name, kind)
	}
	if err := durable.WriteFile(path, []byte(b.String())); err != nil {
		r.log.Error("the simulated stations have no names: the fleet can't be written", "error", err)
	}
}

// tries returns three things to try in a simulated city.
func (u *upApp) tries() []Link {
	morning := u.clock.Now().UTC().Add(-sim.MaxLead).Truncate(24 * time.Hour) // 07:00 in Hanoi
	past := url.Values{"time": {morning.Format(time.RFC3339)}}.Encode()
	return []Link{
		{"which bus can I catch at Hoàn Kiếm Lake?", u.api.URL() + "/?at=21.0287,105.8524"},
		{"how was the air at seven in the morning?", u.api.URL() + "/air?" + past},
		{"ask the API", u.api.URL() + "/docs"},
	}
}

// simulatedAlert makes a repeated start write the service alert of the simulated city once.
const simulatedAlert = "SIMULATED1"

// simulatedAlertHolds is how long the service alert of the simulated city holds.
const simulatedAlertHolds = 48 * time.Hour

// writeSimulatedAlert writes a service alert as a dispatcher would, through the api.
func (u *upApp) writeSimulatedAlert(ctx context.Context) error {
	c, err := client.New(u.api.InsideURL(), u.accounts.Operator.String())
	if err != nil {
		return err
	}
	now := u.clock.Now()
	feed := u.simulation.simulator.Feed()
	if len(feed.Agencies) == 0 || len(feed.Routes) == 0 {
		return nil
	}
	route := feed.Routes[0]
	_, err = c.WriteServiceAlert(ctx, client.NewServiceAlert{ID: simulatedAlert, ServiceAlertText: client.ServiceAlertText{
		Agency: route.Agency.ID, Status: nhip.AlertPublished, Cause: "CONSTRUCTION", Effect: "SIGNIFICANT_DELAYS",
		Severity: "WARNING",
		Header: nhip.LocalizedText{
			Vi: fmt.Sprintf("Mô phỏng: tuyến %s chậm vì sửa đường", route.ShortName),
			En: fmt.Sprintf("Simulated: delays on line %s, road works", route.ShortName),
		},
		Periods:  []nhip.Period{{From: now, To: now.Add(simulatedAlertHolds)}},
		Informed: []nhip.InformedEntity{{Agency: route.Agency.ID, Route: route.ID}},
	}})
	if err != nil && ctx.Err() == nil {
		u.log.Warn("no service alert in the simulated city", "error", err)
	}
	return nil
}
