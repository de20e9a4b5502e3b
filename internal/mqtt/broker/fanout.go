package broker

import (
	"slices"

	"nhip/internal/topics"
)

// route retains a message if it asks for that, and sends it to the subscribers. Its publisher's session is nil if the
// server itself publishes it.
func (s *Server) route(m *Message, from *session) {
	if m.Retain {
		if !s.retained.put(m) {
			s.drop(m.Topic, DroppedRetained)
		}
	}
	var space [8][]*subscription
	lists := s.subs.match(m.Topic, space[:0])
	if len(lists) == 0 {
		return
	}
	f := fanout{message: m, from: from}
	if len(lists) == 1 {
		f.sendList(lists[0])
	} else {
		f.sendMerged(lists)
	}
}

// fanout is one message on its way to its subscribers.
type fanout struct {
	message *Message
	from    *session
	views   []viewed
}

// viewed is the message as the clients with a view see it; nil if they don't.
type viewed struct {
	view    View
	message *Message
}

// as returns the message as a view shows it.
func (f *fanout) as(v View) *Message {
	if v == nil {
		return f.message
	}
	for _, known := range f.views {
		if known.view == v {
			return known.message
		}
	}
	m := f.message.as(v)
	f.views = append(f.views, viewed{v, m})
	return m
}

func (f *fanout) sendList(subs []*subscription) {
	for _, sub := range subs {
		if !sub.removed.Load() {
			f.send(sub.session, *sub.options.Load())
		}
	}
}

// sendMerged sends the message once to a session with several subscriptions that match.
func (f *fanout) sendMerged(lists [][]*subscription) {
	longest := 0
	for i := range lists {
		if len(lists[i]) > len(lists[longest]) {
			longest = i
		}
	}
	merged := make(map[*session]subscriptionOptions)
	for i, list := range lists {
		for _, sub := range list {
			if i != longest && !sub.removed.Load() {
				merged[sub.session] = merge(merged, sub)
			}
		}
	}
	for _, sub := range lists[longest] {
		if sub.removed.Load() {
			continue
		}
		if _, several := merged[sub.session]; several {
			merged[sub.session] = merge(merged, sub)
			continue
		}
		f.send(sub.session, *sub.options.Load())
	}
	for session, options := range merged {
		f.send(session, options)
	}
}

// merge returns the options of all matching subscriptions of a session: the highest QoS, and all subscription ids.
func merge(merged map[*session]subscriptionOptions, sub *subscription) subscriptionOptions {
	o := *sub.options.Load()
	before, ok := merged[sub.session]
	if !ok {
		return o
	}
	return subscriptionOptions{
		ids: slices.Concat(before.ids, o.ids), qos: max(before.qos, o.qos), noLocal: before.noLocal && o.noLocal,
		asPublished: before.asPublished || o.asPublished,
	}
}

func (f *fanout) send(to *session, o subscriptionOptions) {
	if o.noLocal && to == f.from {
		return
	}
	m := f.as(to.currentView())
	if m == nil {
		return
	}
	to.enqueue(delivery{message: m, ids: o.ids, qos: min(m.QoS, o.qos), retain: m.Retain && o.asPublished})
}

// Publish sends a message of the server itself to the subscribers.
func (s *Server) Publish(m Message) error {
	if err := topics.CheckTopic(m.Topic); err != nil {
		return err
	}
	s.route(&m, nil)
	return nil
}
