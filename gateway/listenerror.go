package gateway

import "fmt"

// Names of the listeners, as ListenError has them.
const (
	ListenerDevices   = "devices"
	ListenerRoles     = "roles"
	ListenerWebSocket = "public WebSocket"
	ListenerMQTT      = "public MQTT"
	ListenerMQTTS     = "public MQTT over TLS"
)

// ListenError means that the gateway can't listen on an address.
type ListenError struct {
	Listener string // one of the constants
	Addr     string // as configured
	Err      error
}

// Error names the listener, the address and the cause.
func (e *ListenError) Error() string {
	return fmt.Sprintf("can't listen for MQTT (%s) on %s: %v", e.Listener, e.Addr, e.Err)
}

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }
