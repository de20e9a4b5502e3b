package mqtt

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// errNoSuback is a broker that connects a client and does not answer its subscription.
var errNoSuback = errors.New("no answer to a subscription")

// notGranted is what a SUBACK says of a filter that the broker refuses (MQTT 3.1.1 §3.9.3).
const notGranted = 0x80

// refusal is a broker's no, to a log-in or to a subscription: to try again helps only after
// somebody has changed an account or a rule.
type refusal struct{ broker, says string }

func (r *refusal) Error() string { return fmt.Sprintf("the MQTT broker at %s %s", r.broker, r.says) }

func isRefusal(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

// broker returns the URL without a password that may be in it.
func (o Options) broker() string {
	uri, err := url.Parse(o.URL)
	if err != nil {
		return "an address that is no URL"
	}
	return uri.Redacted()
}

// user returns the name that the broker is told.
func (o Options) user() string {
	if uri, err := url.Parse(o.URL); err == nil && uri.User != nil {
		return uri.User.Username()
	}
	return o.Username
}

// explain says in a person's words why a connection can't be made. It is the same text each time the
// cause is the same.
func (o Options) explain(err error) error {
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		// Brokers use the one code or the other for a wrong password.
		return o.refusal("lets %q not in: the user name or its password is wrong, or it may not use the client id %q", o.user(), o.ClientID)
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return o.refusal("refuses the client id %q", o.ClientID)
	case errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		return o.refusal("does not speak MQTT 3.1.1")
	}
	return fmt.Errorf("the MQTT broker at %s can't be reached: %w", o.broker(), root(err))
}

func (o Options) refusal(says string, args ...any) error {
	return &refusal{o.broker(), fmt.Sprintf(says, args...)}
}

func (o Options) silent(err error) error {
	return fmt.Errorf("the MQTT broker at %s does not answer: %w", o.broker(), err)
}

// root leaves out what differs from try to try, as our own port does, and what says nothing.
func root(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("it closes the connection")
	}
	if both, ok := err.(interface{ Unwrap() []error }); ok { // paho's "network Error" and the cause
		causes := both.Unwrap()
		return causes[len(causes)-1]
	}
	return err
}

// granted reads a SUBACK: every filter must have been granted with at least the QoS, but for those that
// may be refused.
func (o Options) granted(token paho.Token, least byte, spare ...string) error {
	for filter, code := range token.(*paho.SubscribeToken).Result() {
		if slices.Contains(spare, filter) {
			continue
		}
		if code >= notGranted {
			return o.refusal("refuses the subscription to %s", filter)
		}
		if code < least {
			return o.refusal("grants the subscription to %s with QoS %d only, which would lose messages", filter, code)
		}
	}
	return nil
}
