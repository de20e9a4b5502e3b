package staff

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/rpc"
	"nhip/internal/topics"
)

// Limits of an answer with devices.
const (
	defaultDevices = 100
	maxDevices     = 1000
)

// Gateways calls the gateways, which announce themselves on retained topics.
type Gateways struct {
	Names func() []string // sorted
	RPC   *rpc.Client
}

// devicePage is the answer of GET /v1/devices.
type devicePage struct {
	Devices []nhip.DeviceState `json:"devices"`
	Next    string             `json:"next,omitempty"`
	Silent  []string           `json:"silent,omitempty"` // gateways that did not answer
}

// listDevices answers GET /v1/devices with the devices of all gateways, by id.
func (h *Handler) listDevices(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "limit", "after")
	ask := nhip.DeviceQuery{Limit: q.Integer("limit", defaultDevices, 1, maxDevices), After: q.Text("after")}
	if q.Err != nil {
		return q.Err
	}
	answer := devicePage{Devices: []nhip.DeviceState{}}
	for {
		page, err := h.Gateways.page(r.Context(), ask)
		if err != nil {
			return err
		}
		answer.Silent = page.Silent
		for _, d := range page.Devices {
			if !h.mayUseDevice(r, &d) {
				continue
			}
			if len(answer.Devices) == ask.Limit {
				answer.Next = answer.Devices[len(answer.Devices)-1].ID
				return h.JSON(w, rest.NoStore, answer)
			}
			answer.Devices = append(answer.Devices, d)
		}
		if page.Next == "" {
			return h.JSON(w, rest.NoStore, answer)
		}
		ask.After = page.Next
	}
}

// getDevice answers GET /v1/devices/{id}.
func (h *Handler) getDevice(w http.ResponseWriter, r *http.Request) error {
	id, err := rest.PathID(r, "id")
	if err = cmp.Or(err, rest.ReadQuery(r).Err); err != nil {
		return err
	}
	page, err := h.Gateways.page(r.Context(), nhip.DeviceQuery{ID: id, Limit: 1})
	switch {
	case err != nil:
		return err
	case len(page.Devices) > 0 && h.mayUseDevice(r, &page.Devices[0]):
		return h.JSON(w, rest.NoStore, page.Devices[0])
	case len(page.Silent) > 0:
		return nhip.Errorf(nhip.CodeUnavailable, "", "no gateway that answers has the device; %s did not answer",
			strings.Join(page.Silent, ", "))
	}
	return nhip.Errorf(nhip.CodeNotFound, "id", "there is no device %q", id)
}

// page merges one page of each gateway, up to the id that all gateways have reached.
func (g Gateways) page(ctx context.Context, q nhip.DeviceQuery) (devicePage, error) {
	pages, silent, err := g.ask(ctx, q)
	if err != nil {
		return devicePage{}, err
	}
	out := devicePage{Silent: silent}
	for _, p := range pages {
		if p.Next != "" && (out.Next == "" || p.Next < out.Next) {
			out.Next = p.Next
		}
	}
	all := make(map[string]nhip.DeviceState)
	for _, p := range pages {
		for _, d := range p.Devices {
			if out.Next != "" && d.ID > out.Next {
				continue
			}
			if known, is := all[d.ID]; is {
				d = known.Merge(d)
			}
			all[d.ID] = d
		}
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out.Devices = append(out.Devices, all[id])
	}
	return out, nil
}

// ask asks all gateways at once, and returns the answers in the order of their names. One that has no such device
// answers with none. It is an error if no gateway answers.
func (g Gateways) ask(ctx context.Context, q nhip.DeviceQuery) (pages []nhip.DevicePage, silent []string, err error) {
	names := g.Names()
	got, errs := make([]nhip.DevicePage, len(names)), make([]error, len(names))
	var calls sync.WaitGroup
	for i, name := range names {
		calls.Go(func() { errs[i] = g.RPC.Call(ctx, topics.GatewayRole(name), rpc.MethodDevices, q, &got[i]) })
	}
	calls.Wait()
	for i, name := range names {
		switch nhip.ErrorCode(errs[i]) {
		case nhip.CodeUnavailable:
			silent = append(silent, name)
		case nhip.CodeNotFound:
			pages = append(pages, nhip.DevicePage{})
		default:
			if errs[i] != nil {
				return nil, nil, errs[i]
			}
			pages = append(pages, got[i])
		}
	}
	switch {
	case len(names) == 0:
		return nil, nil, nhip.Errorf(nhip.CodeUnavailable, "", "no gateway has announced itself on the broker")
	case len(pages) == 0:
		return nil, nil, nhip.Errorf(nhip.CodeUnavailable, "", "no gateway answers: %s", strings.Join(silent, ", "))
	}
	return pages, silent, nil
}
