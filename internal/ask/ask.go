// Package ask lets one role ask another over MQTT. A question goes to nhip/ask/<collector>/<question>
// and names a topic of the asker's own, nhip/answer/<asker>, on which its answer comes:
//
//	{"id":"K3TV…","reply":"nhip/answer/nhip-api-1f","params":{"limit":200}}
//	{"id":"K3TV…","answer":{"rows":[]}}
//	{"id":"K3TV…","error":{"code":"not_found","field":"id","rule":"there is no such letter"}}
//
// Nothing is retained or repeated: a question is heard once or never, and who gets no answer asks
// again.
package ask

import (
	"encoding/json"
	"maps"

	"nhip"
	"nhip/internal/mqtt"
)

// The questions that a collector answers.
const (
	Ledger = "ledger"      // nhip.LedgerQuery → nhip.LedgerPage
	List   = "dead/list"   // nhip.LetterQuery → nhip.LetterPage
	Show   = "dead/show"   // nhip.LetterPart → nhip.DeadLetter
	Replay = "dead/replay" // nhip.ReplayQuery → nhip.ReplayPage

	Recompute = "air/recompute" // nhip.RecomputeQuery → nhip.Recomputing
	Retention = "retention"     // nhip.RetentionQuery → []nhip.Retention
	Left      = "air/left"      // nhip.LeftQuery → nhip.Recomputing
)

// qos of questions and answers: an acknowledgement would tell nothing that the answer does not.
const qos = 0

// maxID is the longest id of a question, in bytes; it comes back with the answer.
const maxID = 64

// question is the payload of a question.
type question struct {
	ID     string          `json:"id"`
	Reply  string          `json:"reply"`
	Params json.RawMessage `json:"params,omitempty"`
}

// answer is the payload of an answer, with one of the two.
type answer struct {
	ID     string          `json:"id"`
	Answer json.RawMessage `json:"answer,omitempty"`
	Error  *fault          `json:"error,omitempty"`
}

// fault is an *nhip.Error on its way.
type fault struct {
	Code  nhip.Code `json:"code"`
	Field string    `json:"field,omitempty"`
	Rule  string    `json:"rule"`
}

func (f *fault) err() error { return nhip.Errorf(f.Code, f.Field, "%s", f.Rule) }

// extend returns o with one more filter, whose messages go to handle.
func extend(o mqtt.Options, filter string, handle func(topic string, payload []byte, retained bool)) mqtt.Options {
	others := o.Handle
	subscribe := map[string]byte{filter: qos}
	maps.Copy(subscribe, o.Subscribe)
	o.Subscribe = subscribe
	o.Handle = func(topic string, payload []byte, retained bool) {
		switch {
		case mqtt.Match(filter, topic):
			handle(topic, payload, retained)
		case others != nil:
			others(topic, payload, retained)
		}
	}
	return o
}
