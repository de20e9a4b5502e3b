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

// ErrNoSuback means that the broker accepted the connection and did not answer a SUBSCRIBE.
var ErrNoSuback = errors.New("no answer to a subscription")

// notGranted is the return code of a SUBACK for a filter that the broker refuses (MQTT 3.1.1 §3.9.3).
const notGranted = 0x80

// refusal means that the broker refused the log-in or a subscription. A retry fails too until somebody changes the
// account or the rules of the broker.
type refusal struct{ broker, reason string }

func (r *refusal) Error() string { return fmt.Sprintf("the MQTT broker at %s %s", r.broker, r.reason) }

// IsRefusal reports whether the broker refused the log-in or a subscription, so that a retry alone does not help.
func IsRefusal(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

// RedactedURL returns the URL of the broker without the password that it may contain.
func (o Options) RedactedURL() string {
	uri, err := url.Parse(o.URL)
	if err != nil {
		return "an invalid URL"
	}
	return uri.Redacted()
}

// user returns the user name of the log-in. One in the URL takes precedence.
func (o Options) user() string {
	if uri, err := url.Parse(o.URL); err == nil && uri.User != nil {
		return uri.User.Username()
	}
	return o.Username
}

// Explain turns paho's error from a connection attempt into one that names the broker and what to check. The same
// cause always gives the same text, so that a caller can log each cause once.
func (o Options) Explain(err error) error {
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		// Brokers differ in which of the two codes they return for a wrong password.
		return o.refusal("rejects the log-in of %q: "+
			"the user name or its password is wrong, or it may not use the client id %q", o.user(), o.ClientID)
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return o.refusal("refuses the client id %q", o.ClientID)
	case errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		return o.refusal("does not support MQTT 3.1.1")
	}
	return fmt.Errorf("the MQTT broker at %s can't be reached: %w", o.RedactedURL(), RootCause(err))
}

func (o Options) refusal(format string, args ...any) error {
	return &refusal{o.RedactedURL(), fmt.Sprintf(format, args...)}
}

// Unresponsive returns the error for a broker that does not answer in time.
func (o Options) Unresponsive(err error) error {
	return fmt.Errorf("the MQTT broker at %s does not answer: %w", o.RedactedURL(), err)
}

// RootCause strips from an error what differs between two attempts, such as the local port, and paho's prefixes.
func RootCause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the broker closed the connection")
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // paho's "network Error" and the cause
		causes := joined.Unwrap()
		return causes[len(causes)-1]
	}
	return err
}

// CheckGranted reads a SUBACK: the broker must have granted every filter with at least the QoS least, except the
// optional filters, which it may refuse.
func (o Options) CheckGranted(token paho.Token, least byte, optional ...string) error {
	for filter, code := range token.(*paho.SubscribeToken).Result() {
		if slices.Contains(optional, filter) {
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
