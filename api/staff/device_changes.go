package staff

import (
	"cmp"
	"encoding/json"
	"net/http"

	"nhip"
	"nhip/api/actions"
	"nhip/api/rest"
	"nhip/internal/fleet"
)

// Fleet holds what staff change of devices.
type Fleet struct {
	Actions   *actions.Client
	Documents *actions.Documents
}

// deviceSecret is the answer with a new secret, which is told once.
type deviceSecret struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// deviceEntry returns a device with its entry. A device that the caller does not see is not found: who may use the
// devices of some agencies only, uses buses of these agencies only. With an entry proposed, a device that no fleet has
// is returned as it would be.
func (h *Handler) deviceEntry(r *http.Request, id string, propose *nhip.DeviceEntry) (*nhip.DeviceState, error) {
	page, err := h.Gateways.page(r.Context(), nhip.DeviceQuery{ID: id, Limit: 1, Entry: true, Propose: propose})
	if err != nil {
		return nil, err
	}
	if len(page.Devices) == 0 || !h.mayUseDevice(r, &page.Devices[0]) {
		return nil, nhip.Errorf(nhip.CodeNotFound, "id", "there is no device %q", id)
	}
	return &page.Devices[0], nil
}

// mayUseDevice reports whether the caller sees a device and may change it.
func (h *Handler) mayUseDevice(r *http.Request, d *nhip.DeviceState) bool {
	caller := rest.CallerOf(r)
	switch {
	case d.Agency != "":
		return caller.View.Agency(d.Agency)
	case !caller.Role.May(nhip.MayUseAllDevices):
		return false
	}
	station, known := h.Collectors.Live.Known(d.ID)
	if !known {
		station = &nhip.Station{ID: d.ID}
	}
	return caller.View.Station(station)
}

// addDevice answers POST /v1/devices with the secret of a new device.
func (h *Handler) addDevice(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		ID     string   `json:"id"`
		Feed   string   `json:"feed"`
		Topics []string `json:"topics"`
		Rate   int64    `json:"rate"`
	}
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	if err := cmp.Or(nhip.CheckID("id", body.ID), nhip.CheckID("feed", body.Feed)); err != nil {
		return rest.AsInvalid(err)
	}
	if len(body.Topics) > 0 {
		if err := mayPublishForOthers(r); err != nil {
			return err
		}
	}
	secret := fleet.NewSecret()
	entry := nhip.DeviceEntry{
		Feed: body.Feed, Topics: body.Topics, Rate: body.Rate, Secrets: []string{fleet.Digest(secret)},
	}
	change := nhip.DeviceChange{DeviceEntry: entry}
	if err := change.Validate(); err != nil {
		return rest.AsInvalid(err)
	}
	d, err := h.deviceEntry(r, body.ID, &entry)
	switch {
	case nhip.ErrorCode(err) == nhip.CodeNotFound:
		return nhip.Errorf(nhip.CodeForbidden, "feed", "must be a feed of buses of an agency of the caller")
	case err != nil:
		return err
	case d.Entry != nil:
		return nhip.Errorf(nhip.CodeConflict, "id", "there is a device %q already", body.ID)
	}
	change.Base = d.Base // of one that was removed over the web
	if err := h.setDevice(r, body.ID, &change); err != nil {
		return err
	}
	return h.Created(w, deviceSecret{body.ID, secret})
}

// mayPublishForOthers returns an error if the caller may not have the secret of a device with topics of its own, which
// may be those of other devices.
func mayPublishForOthers(r *http.Request) error {
	err := rest.PermissionError(r, nhip.MayUseAllDevices)
	if err == nil && !rest.ScopeOf(r).Unlimited() {
		err = nhip.Errorf(nhip.CodeForbidden, "topics", "must be empty: the caller has a scope, and topics may be beyond it")
	}
	return err
}

// setDevice stores a change of a device; nil leaves the fleet file alone in force.
func (h *Handler) setDevice(r *http.Request, id string, change *nhip.DeviceChange) error {
	doc := nhip.Document{Kind: nhip.DocumentDevice, ID: id, Object: "device/" + id}
	if before, known := h.Fleet.Documents.Find(nhip.DocumentDevice, id); known {
		doc.IfVersion = nhip.Some(before.Version)
	}
	actor := rest.ActorOf(r)
	if actor == nil {
		return nhip.Errorf(nhip.CodeUnauthorized, "Authorization", "must name who changes the device")
	}
	if change == nil {
		_, err := h.Fleet.Actions.Set(r.Context(), doc, *actor)
		return err
	}
	_, err := h.Fleet.Actions.SetJSON(r.Context(), doc, change, *actor)
	return err
}

// changeDevice applies a change to the entry of the device of the path.
func (h *Handler) changeDevice(r *http.Request, change func(*nhip.DeviceEntry) error) (id string, err error) {
	id, err = rest.PathID(r, "id")
	if err = cmp.Or(err, rest.ReadQuery(r).Err); err != nil {
		return "", err
	}
	d, err := h.deviceEntry(r, id, nil)
	if err != nil {
		return "", err
	}
	if d.Entry == nil {
		return "", nhip.Errorf(nhip.CodeNotFound, "id", "there is no device %q", id)
	}
	entry := *d.Entry
	if err := change(&entry); err != nil {
		return "", err
	}
	return id, h.setDevice(r, id, &nhip.DeviceChange{Base: d.Base, DeviceEntry: entry})
}

// rotateDevice answers POST /v1/devices/{id}/rotate with a second secret, or with 204 at the end of the rotation.
func (h *Handler) rotateDevice(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		End bool `json:"end"`
	}
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	if body.End {
		if _, err := h.changeDevice(r, endRotation); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	secret := fleet.NewSecret()
	id, err := h.changeDevice(r, func(e *nhip.DeviceEntry) error {
		if len(e.Topics) > 0 {
			if err := mayPublishForOthers(r); err != nil {
				return err
			}
		}
		if len(e.Secrets) >= nhip.MaxDeviceSecrets {
			return nhip.Errorf(nhip.CodeConflict, "end", "the device has two secrets already; end that rotation first")
		}
		e.Secrets = append(e.Secrets, fleet.Digest(secret))
		if e.Mosquitto != "" {
			e.Mosquitto = fleet.MosquittoDigest(secret)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.Created(w, deviceSecret{id, secret})
}

// endRotation leaves a device only its newest secret.
func endRotation(e *nhip.DeviceEntry) error {
	if len(e.Secrets) < nhip.MaxDeviceSecrets {
		return nhip.Errorf(nhip.CodeConflict, "end", "the device has no second secret")
	}
	e.Secrets = e.Secrets[len(e.Secrets)-1:]
	return nil
}

// disableDevice answers POST /v1/devices/{id}/disable.
func (h *Handler) disableDevice(w http.ResponseWriter, r *http.Request) error {
	return h.setDisabled(w, r, true)
}

// enableDevice answers POST /v1/devices/{id}/enable.
func (h *Handler) enableDevice(w http.ResponseWriter, r *http.Request) error {
	return h.setDisabled(w, r, false)
}

func (h *Handler) setDisabled(w http.ResponseWriter, r *http.Request, disabled bool) error {
	_, err := h.changeDevice(r, func(e *nhip.DeviceEntry) error {
		e.Disabled = disabled
		return nil
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// removeDevice answers DELETE /v1/devices/{id}.
func (h *Handler) removeDevice(w http.ResponseWriter, r *http.Request) error {
	id, err := rest.PathID(r, "id")
	if err = cmp.Or(err, rest.ReadQuery(r).Err); err != nil {
		return err
	}
	d, err := h.deviceEntry(r, id, nil)
	if err != nil {
		return err
	}
	if d.Entry == nil {
		return nhip.Errorf(nhip.CodeNotFound, "id", "there is no device %q", id)
	}
	var change *nhip.DeviceChange // without an entry of the file, removing what was set over the web is enough
	if d.Base != "" {
		change = &nhip.DeviceChange{Base: d.Base, Removed: true}
	}
	if err := h.setDevice(r, id, change); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// listFleetChanges answers GET /v1/fleet/changes with what staff have changed over the web: devices, by id, and
// calibrations, by station and quantity.
func (h *Handler) listFleetChanges(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	changes := []nhip.MadeChange{}
	for _, doc := range h.Fleet.Documents.List(nhip.DocumentDevice) {
		c := nhip.MadeChange{ID: doc.ID, By: doc.By, Time: doc.Time}
		if err := json.Unmarshal(doc.Body, &c.DeviceChange); err != nil {
			continue // a collector has checked it
		}
		for i, secret := range c.Secrets {
			c.Secrets[i] = nhip.ShortSecret(secret)
		}
		c.Mosquitto = ""
		changes = append(changes, c)
	}
	return h.JSON(w, rest.NoStore, nhip.FleetChanges{Changes: changes, Calibrations: h.madeCalibrations(r)})
}
