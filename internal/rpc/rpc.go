// Package rpc carries requests from one role to another, and the responses, over MQTT. A request is published on
// nhip/ask/<role>/<method>, where the role is a collector or a gateway. It names a topic of the client's own,
// nhip/answer/<client>, on which the response is published:
//
//	{"id":"K3TV…","reply":"nhip/answer/nhip-api-1f","params":{"limit":200}}
//	{"id":"K3TV…","answer":{"rows":[]}}
//	{"id":"K3TV…","error":{"code":"not_found","field":"id","rule":"there is no such letter"}}
//
// Messages are neither retained nor repeated: a request arrives at most once, and a client that gets no response must
// send another request.
package rpc

import (
	"encoding/json"
	"maps"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/topics"
)

// Methods of a collector.
const (
	MethodLedger           = "ledger"      // nhip.LedgerQuery → nhip.LedgerPage
	MethodDeadLetterList   = "dead/list"   // nhip.DeadLetterQuery → nhip.DeadLetterPage
	MethodDeadLetterShow   = "dead/show"   // nhip.DeadLetterChunk → nhip.DeadLetter
	MethodDeadLetterReplay = "dead/replay" // nhip.ReplayQuery → nhip.ReplayResults

	MethodRecompute       = "air/recompute" // nhip.RecomputeQuery → nhip.RecomputeProgress
	MethodRecomputeStatus = "air/left"      // nhip.RecomputeStatusQuery → nhip.RecomputeProgress
	MethodRetention       = "retention"     // nhip.RetentionQuery → []nhip.Retention

	MethodPhotoPut    = "photo/put"    // nhip.PhotoChunk → struct{}: a photo of a report, in parts
	MethodPhotoGet    = "photo/get"    // nhip.PhotoQuery → nhip.PhotoPart
	MethodPhotoRemove = "photo/remove" // nhip.PhotoQuery → struct{}

	MethodScheduleStates = "schedule/states" // nhip.ScheduleQuery → nhip.ScheduleStates
	MethodScheduleSend   = "schedule/send"   // nhip.ScheduleSend → nhip.ScheduleState

	MethodStatus = "status" // struct{} → struct{}: whether the collector is alive
)

// MethodDevices is the method of a gateway: nhip.DeviceQuery → nhip.DevicePage.
const MethodDevices = "devices"

// qos is 0 for requests and responses: the response itself acknowledges the request.
const qos = 0

// maxID is the greatest length of a request's id, in bytes. The response repeats the id.
const maxID = 64

// request is the payload of a request.
type request struct {
	ID     string          `json:"id"`
	Reply  string          `json:"reply"`
	Params json.RawMessage `json:"params,omitempty"`
}

// response is the payload of a response. It has either a result or an error.
type response struct {
	ID     string          `json:"id"`
	Result json.RawMessage `json:"answer,omitempty"`
	Error  *wireError      `json:"error,omitempty"`
}

// wireError is the encoding of an *nhip.Error.
type wireError struct {
	Code  nhip.Code `json:"code"`
	Field string    `json:"field,omitempty"`
	Rule  string    `json:"rule"`
}

func (e *wireError) err() error { return nhip.Errorf(e.Code, e.Field, "%s", e.Rule) }

// extend returns o with one more filter, whose messages are passed to handle instead of o.Handle.
func extend(o mqtt.Options, filter string, handle func(topic string, payload []byte, retained bool)) mqtt.Options {
	others := o.Handle
	subscribe := map[string]byte{filter: qos}
	maps.Copy(subscribe, o.Subscribe)
	o.Subscribe = subscribe
	o.Handle = func(topic string, payload []byte, retained bool) {
		switch {
		case topics.Match(filter, topic):
			handle(topic, payload, retained)
		case others != nil:
			others(topic, payload, retained)
		}
	}
	return o
}
