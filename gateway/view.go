package gateway

import (
	"strings"

	"nhip/internal/topics"
)

// guestHFP begins the topics of the HFP feed as its clients know them. Internally they begin with nhip/live/hfp/v2/.
const guestHFP = "/hfp/v2/"

// guestView is how guests see topics, as a broker.View: under the names that HFP's clients know, and without private
// stations, which may have become private after a guest has subscribed.
type guestView struct{ hook *hook }

// Filter returns the internal form of a guest's HFP filter, and any other filter as it is.
func (guestView) Filter(filter string) string {
	if rest, ok := strings.CutPrefix(filter, guestHFP); ok {
		return topics.LiveHFP + rest
	}
	return filter
}

// Topic returns the name under which guests see a topic. ok is false if they may not read it.
func (v guestView) Topic(topic string) (name string, ok bool) {
	if !v.hook.guestMayRead(topic) {
		return "", false
	}
	if rest, ok := strings.CutPrefix(topic, topics.LiveHFP); ok {
		return guestHFP + rest, true
	}
	return topic, true
}
