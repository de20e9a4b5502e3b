package app

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"nhip"
	"nhip/gateway"
	"nhip/internal/durable"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/rpc"
	"nhip/internal/topics"
	"nhip/internal/wait"
)

// deviceStatesFile is the name of the file with what the gateway knows of its devices, in a data folder.
const deviceStatesFile = "gateway-devices.json"

// deviceStatesEvery is how often it is saved: 100,000 devices have 30 MB. After a crash the times of the last messages
// are so much older.
const deviceStatesEvery = 5 * time.Minute

// deviceStates answers requests for what the gateway knows of its devices, and keeps it on disk.
type deviceStates struct {
	*runtime
	gateway *gateway.Gateway
	fleet   *fleet.Watch
	name    string // of the gateway
}

// startDeviceStates restores what was known, and saves and serves it until the role stops. The gateway must not have
// started yet. broker is where the api asks.
func (r *runtime) startDeviceStates(g *gateway.Gateway, w *fleet.Watch, name string, broker mqtt.Options) {
	d := &deviceStates{r, g, w, name}
	d.restore()
	r.cleanup.Push("the states of devices", func(context.Context) error { d.save(); return nil })
	r.run("saving the states of devices", d.saveFromTimeToTime)
	r.run("serving the states of devices", func(ctx context.Context) error { return d.serve(ctx, broker) })
}

// restore reads the file. What can't be read is not known any more; nothing depends on it.
func (d *deviceStates) restore() {
	raw, err := os.ReadFile(d.dir.Path(deviceStatesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var saved gateway.SavedDevices
	if err == nil {
		err = json.Unmarshal(raw, &saved)
	}
	if err != nil {
		d.log.Error("states of devices not restored", "error", err)
		return
	}
	d.gateway.RestoreDevices(saved)
}

func (d *deviceStates) save() {
	raw, err := json.Marshal(d.gateway.SaveDevices())
	if err == nil {
		err = durable.WriteFile(d.dir.Path(deviceStatesFile), raw)
	}
	if err != nil {
		d.log.Warn("states of devices not saved", "error", err)
	}
}

func (d *deviceStates) saveFromTimeToTime(ctx context.Context) error {
	for {
		if err := wait.Sleep(ctx, deviceStatesEvery); err != nil {
			return err
		}
		d.save()
	}
}

// answer returns a page of devices. With q.Entry, it is the one device with its entry: the one in force, or else the
// one that is proposed.
func (d *deviceStates) answer(q nhip.DeviceQuery) (nhip.DevicePage, error) {
	page, err := d.gateway.Devices(q, d.name)
	if !q.Entry {
		return page, err
	}
	entry, base, web := d.fleet.Entry(q.ID)
	switch {
	case entry != nil && len(page.Devices) == 1:
	case q.Propose != nil:
		feeds := FleetFeeds(&d.conf)
		if err := fleet.CheckEntry(q.ID, q.Propose, feeds); err != nil {
			field, rule, _ := strings.Cut(err.Error(), ": ")
			return page, nhip.Errorf(nhip.CodeInvalid, field, "%s", rule)
		}
		agency := d.fleet.Fleet().Agencies(feeds)(q.ID, q.Propose.Feed)
		page.Devices = []nhip.DeviceState{{ID: q.ID, Feed: q.Propose.Feed, Agency: agency}}
	default:
		return page, err
	}
	one := &page.Devices[0]
	one.Entry, one.Base, one.Web = entry, base, web
	return page, nil
}

// serve answers requests until ctx ends. A broker that refuses the account is logged; the gateway works without this.
func (d *deviceStates) serve(ctx context.Context, o mqtt.Options) error {
	server := rpc.NewServer(rpc.ServerOptions{
		Name: topics.GatewayRole(d.name), Logger: d.log,
		Handlers: map[string]rpc.Handler{
			rpc.MethodDevices: rpc.HandlerOf(func(_ context.Context, q nhip.DeviceQuery) (nhip.DevicePage, error) {
				return d.answer(q)
			}),
		},
	})
	up := make(chan struct{}, 1)
	o.Logger = d.log
	o.OnUp = func() {
		select {
		case up <- struct{}{}:
		default:
		}
	}
	client, err := mqtt.DialRetry(ctx, server.Extend(o))
	if err != nil {
		if ctx.Err() == nil {
			d.log.Error("states of devices not served", "error", err)
		}
		return nil
	}
	defer client.Close()
	server.Use(client)
	defer server.Close()
	topic := topics.FleetGatewayTopic(d.name)
	for { // announce again after each reconnect: the broker may have lost the retained messages
		client.Publish(topic, 0, true, []byte("{}"))
		select {
		case <-up:
		case <-ctx.Done():
			client.Publish(topic, 0, true, nil).WaitTimeout(time.Second)
			return ctx.Err()
		}
	}
}
