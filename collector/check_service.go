package collector

import (
	"encoding/json"
	"errors"
	"slices"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/record"
	"nhip/internal/topics"
)

// maxServicePayload is the maximum length of a trip or an alert as a live message.
const maxServicePayload = topics.MaxPacket - topics.MaxTopic - 64

// checkService rejects a report that can't be, and trips and alerts whose live message would be too long.
func (d *decodeStage) checkService(o *record.Outcome, window nhip.Window) {
	r := o.Facts.Service
	if err := r.Validate(window); err != nil {
		o.Facts.Service = nil
		for range r.Rows() {
			o.Reject(decode.InRow("header", err), o.TopicRow())
		}
		var fault *nhip.Error
		if r.Rows() == 0 && errors.As(err, &fault) {
			d.dropped(o.Topic, "header", fault)
		}
		return
	}
	reject := func(row string, err error) bool {
		if err != nil {
			o.Reject(decode.InRow(row, err), o.TopicRow())
		}
		return err != nil
	}
	r.Trips = slices.DeleteFunc(r.Trips, func(u nhip.TripUpdate) bool {
		return reject("trip "+decode.Clip(u.Key()), checkServiceSize(r.Feed, u.Key(), &u))
	})
	r.Alerts = slices.DeleteFunc(r.Alerts, func(a nhip.ServiceAlert) bool {
		return reject("alert "+decode.Clip(a.ID), checkServiceSize(r.Feed, a.ID, &a))
	})
}

// stopSize is at least the length of a stop as JSON without its ids.
const stopSize = 200

func checkServiceSize(feed, id string, state any) error {
	if err := checkTopicSize("id", topics.ServiceTopicSize(feed, id)); err != nil {
		return err
	}
	if u, ok := state.(*nhip.TripUpdate); ok && len(u.Stops) < maxServicePayload/(stopSize+2*nhip.MaxText)/2 {
		return nil // short enough without looking
	}
	if n := len(encodeService(state)); n > maxServicePayload {
		return nhip.Errorf(nhip.CodeOutOfRange, "", "makes a message of %d bytes; the maximum is %d", n, maxServicePayload)
	}
	return nil
}

// encodeService returns the JSON of a trip or an alert.
func encodeService(state any) []byte {
	raw, err := json.Marshal(state)
	if err != nil {
		panic("a service report can't be encoded: " + err.Error()) // it holds only texts, times and numbers
	}
	return raw
}
